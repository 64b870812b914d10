"""Signatures of JWTs, good and forged, with what Python has: RS256, ES256, HS256, none."""
import base64
import hashlib
import hmac
import json

from forge.oidc_keys import EC, RSA

SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")        # DigestInfo, RFC 8017 section 9.2

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def b64(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length):
    return b64(value.to_bytes(length, "big"))


def jwk(name):
    """The public half of a key, as a key set has it."""
    if name in RSA:
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": number(RSA[name][0], 256), "e": "AQAB"}
    return {"kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": name, "x": number(EC[name][1], 32),
            "y": number(EC[name][2], 32)}


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(scalar, point):
    found = None
    while scalar:
        if scalar & 1:
            found = add(found, point)
        point = add(point, point)
        scalar >>= 1
    return found


def sign_rs256(name, text):
    modulus, private = RSA[name]
    padded = b"\x00\x01" + b"\xff" * (256 - 3 - len(SHA256) - 32) + b"\x00" + SHA256 + hashlib.sha256(text).digest()
    return pow(int.from_bytes(padded, "big"), private, modulus).to_bytes(256, "big")


def sign_es256(name, text):
    private = EC[name][0]
    digest = hashlib.sha256(text).digest()
    # The nonce follows from key and text: nobody has to draw one.
    nonce = int.from_bytes(hmac.digest(private.to_bytes(32, "big"), digest, "sha256"), "big") % (N - 1) + 1
    r = multiply(nonce, G)[0] % N
    s = pow(nonce, -1, N) * (int.from_bytes(digest, "big") + r * private) % N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(algorithm, name, text):
    if algorithm == "RS256":
        return sign_rs256(name, text)
    if algorithm == "ES256":
        return sign_es256(name, text)
    if algorithm == "HS256":        # with what everybody knows: the public key as it is published
        return hmac.digest(json.dumps(jwk(name)).encode(), text, "sha256")
    return b""


def encode(header, payload, name, algorithm):
    """A JWT; header and payload are objects, or texts that need not be any."""
    parts = [b64(part.encode() if isinstance(part, str) else part) for part in (header, payload)]
    text = ".".join(parts).encode()
    return ".".join([*parts, b64(sign(algorithm, name, text)) if algorithm != "none" else ""])
