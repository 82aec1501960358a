#!/usr/bin/env python3
"""Cuts the bundled slice out of the full stream of contributions: eight whole projects, lines unchanged and in order.

    make_slice.py oss-contributions.jsonl.gz contributions.jsonl.gz

Whole projects are taken, so that first contributions, retention and companies over time stay true within each of them.
The outcome is the same bytes each time (no file name and no clock in the gzip header).
"""
import gzip
import json
import sys

PROJECTS = {
    "Openpanel-dev/openpanel",
    "apache/arrow-rs",
    "apache/pinot",
    "datafusion-contrib/datafusion-distributed",
    "delta-io/delta-kernel-rs",
    "lakehq/sail",
    "quickwit-oss/tantivy",
    "vortex-data/vortex",
}


def main(source, target):
    with gzip.open(source, "rb") as lines, open(target, "wb") as file:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=file, mtime=0) as out:
            for line in lines:
                if json.loads(line)["properties"]["$groups"]["repository"] in PROJECTS:
                    out.write(line)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
