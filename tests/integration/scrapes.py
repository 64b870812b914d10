#!/usr/bin/env python3
"""Scrapes of the real daemon as a test of alert rules, for `promtool test rules`.

usage: scrapes.py RULES ALERT[,ALERT...] FILE...

FILEs are what the textfile collector would read, in their order: all but the last stand for five minutes each, the last
for forty.  node_exporter's own series, the file's age, is added from the file's time.  promtool's clock begins at 0, so
times in the scrapes are made relative to now.  The test demands exactly these ALERTs at the end, '-' for none.  Prints the
test (JSON, which is YAML).
"""
import json
import os
import re
import sys
import time

INTERVAL = 30
SAMPLES = {"short": 10, "long": 80}


def read_scrape(path, now):
    """{series: value}"""
    series = {'node_textfile_mtime_seconds{file="/x/forge-broker.prom"}': os.stat(path).st_mtime - now}
    with open(path, encoding="utf-8") as scrape:
        for line in scrape:
            if line.startswith("#") or not line.strip():
                continue
            name, value = line.rstrip("\n").rsplit(" ", 1)
            value = float(value)
            if re.match(r"[a-z_]*_timestamp_seconds\b", name):
                value -= now
            series[name] = value
    return series


def values(scrapes, name):
    parts, at = [], 0
    for index, scrape in enumerate(scrapes):
        count = SAMPLES["long" if index == len(scrapes) - 1 else "short"]
        if name not in scrape:
            parts.append(f"_x{count}")
        elif name.startswith("node_textfile_mtime_seconds") and scrape[name] > -60:
            # written anew at each interval
            parts.append(f"{scrape[name] + at:.0f}+{INTERVAL}x{count - 1}")
        else:
            parts.append(f"{scrape[name]:.0f}+0x{count - 1}")
        at += count * INTERVAL
    return " ".join(parts)


def main():
    rules, alerts, files = sys.argv[1], sys.argv[2], sys.argv[3:]
    now = time.time()
    scrapes = [read_scrape(path, now) for path in files]
    names = sorted({name for scrape in scrapes for name in scrape})
    # Windows of counters are looked at where the last scrape has been there for some minutes, `for` at the end.
    begin = (len(files) - 1) * SAMPLES["short"] * INTERVAL
    fired = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in alerts.split(",") if alert != "-"]
    early = [{"expr": 'count by (alertname) (count by (alertname, token, identity, url) (max_over_time('
                      'ALERTS{alertstate="firing"}[40m]))) > bool 0', "eval_time": f"{(begin + 38 * 60) // 60}m",
              "exp_samples": fired}]
    json.dump({"rule_files": [os.path.abspath(rules)], "evaluation_interval": f"{INTERVAL}s",
               "tests": [{"interval": f"{INTERVAL}s", "promql_expr_test": early,
                          "input_series": [{"series": name, "values": values(scrapes, name)} for name in names]}]},
              sys.stdout, indent=1)


if __name__ == "__main__":
    main()
