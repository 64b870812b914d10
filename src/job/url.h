/*
 * URLs of git remotes, as far as credentials go: only http and https have any that matter here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define URL_MAX 2048

/* Spans of the text that url_parse() was given. */
struct url {
        const char *text;
        size_t scheme_length; /* "https" */
        const char *user;     /* "user:password", without the '@'; NULL: none */
        size_t user_length;
        bool has_password;
        const char *host; /* "git.example.org:8443" */
        size_t host_length;
        const char *path; /* from the slash on, or "" */
};

/** url_parse() - true for an http or https URL of less than URL_MAX bytes without control
 * characters */
bool url_parse(const char *text, struct url *ret);

/** url_without_user() - the same URL without what stands before the host; @buffer holds URL_MAX */
void url_without_user(const struct url *url, char *buffer);

/** url_origin() - "https://git.example.org/" */
void url_origin(const struct url *url, char *buffer);

/**
 * url_is_on() - true if a place is below a forge's URL
 * @path: without the leading slash; "" if it is not known
 *
 * Hosts are compared without case and without the scheme's own port.
 */
bool url_is_on(const char *forge_url, const char *protocol, const char *host, const char *path);

/** url_is_below() - the same for a whole URL */
bool url_is_below(const char *forge_url, const struct url *url);

/**
 * url_repository() - "owner/name" of a git URL below a forge's URL, without ".git" and what stands
 * behind that
 * @buffer: holds URL_MAX
 *
 * Return: false if it is not below, or names none.
 */
bool url_repository(const char *forge_url, const char *text, char *buffer);
