#!/usr/bin/env python3
"""Exhaustive check of how an hour is counted on Cassandra, which has no transactions (`src/store/cassandra/seal.rs`).

A writer has its events in flight together. For each it writes the row, takes its incarnation's next number once the row is
acknowledged, sends the mark (which may arrive late, after one of a higher number), then commits; a crash loses what is not
committed, and a new incarnation repeats it. There is one mark per incarnation, written with its number as timestamp: a later
one replaces it, a delete hides it and all before it. A mark tells the minutes to which its incarnation wrote behind the number
`since`, each with its last number.
A sealer reads the head's version, the marks, and rows (rows that arrive meanwhile may be seen or not): all, or, where the head
is still the one that it wrote itself, the minutes with numbers behind those that it had read. It flips the head by
compare-and-set, writes derived rows with the new version as their timestamp, and deletes the marks that it read, each with the
number that it read as the delete's timestamp.

Checked in every reachable state: when all events are committed, no mark is left and all sealers are idle, counts and derived
rows equal the table.
  python3 sealing.py                    two writers with an event each: 5,592,061 states, 4 minutes
  python3 sealing.py --one-writer       one writer with two events in flight: 14,873,407 states, 7 minutes, 11 GB
With --crashes=0,1 no writer crashes and one sealer may, once. With --one-writer each of these ends with a counterexample:
  --mark-before      marks are sent before the row is acknowledged
  --no-cas           the last write of a head wins
  --early-number     the number is taken before the row is acknowledged
  --no-generation    minutes are trusted whoever wrote the head
  --no-since         a mark is taken to know all minutes
  --own-minute       a mark tells its own minute only
"""
import sys
from itertools import chain, combinations

BEFORE, NOCAS, EARLY = (f in sys.argv for f in ("--mark-before", "--no-cas", "--early-number"))
EVENTS = (("a", "b"),) if EARLY else (("a", "b"),) if "--one-writer" in sys.argv else (("a",), ("b",))   # what each writer has in flight
SEALERS = 2
CRASHES = [f.removeprefix("--crashes=") for f in sys.argv if f.startswith("--crashes=")] or ["1,1"]
WRITER_CRASHES, SEALER_CRASHES = map(int, CRASHES[0].split(","))   # in all
MINUTE = {"a": 0, "b": 1}
NOGEN, NOSINCE, OWN = (f in sys.argv for f in ("--no-generation", "--no-since", "--own-minute"))
MOST = 1   # minutes that a mark tells
STEPS = ("mark", "arrive", "row") if BEFORE else ("number", "row", "arrive") if EARLY else ("row", "number", "arrive")

def subsets(s):
    s = sorted(s)
    return (frozenset(c) for c in chain.from_iterable(combinations(s, n) for n in range(len(s) + 1)))

# state: rows, (version, rollup), (timestamp, derived), marks {(incarnation, seq)}, hidden {(incarnation, seq)}, writers, sealers, crashes left
# writer: (incarnation, seq, ((step, its number), ...) per event; step 3 = all done, 4 = committed)      sealer: (step, version, marks seen, rows at start, counted)
NOCACHE = (0, frozenset(), frozenset())
IDLE = (0, 0, frozenset(), frozenset(), frozenset(), NOCACHE)
NEW = (0, frozenset())
start = (frozenset(), (0, frozenset()), (0, frozenset()), frozenset(), frozenset(),
         tuple((0, 0, ((0, 0),) * len(e), NEW) for e in EVENTS), (IDLE,) * SEALERS, (WRITER_CRASHES, SEALER_CRASHES))

def replace(t, i, v): return t[:i] + (v,) + t[i + 1:]

def touch(touched, minute, no):
    since, minutes = touched
    minutes = {m: n for m, n in minutes}
    if OWN: return (0, frozenset({(minute, no)}))
    minutes[minute] = no
    while len(minutes) > MOST:
        oldest = min(minutes, key=minutes.get)
        since = max(since, minutes.pop(oldest))
    return (since, frozenset(minutes.items()))

def stale_of(cache, ver, seen):
    """The minutes to be read again; None: all."""
    if cache[0] == 0 or (cache[0] != ver and not NOGEN): return None
    read, stale = dict(cache[2]), set()
    for who, no, (since, minutes) in seen:
        n = read.get(who, 0)
        if n < since and not NOSINCE: return None
        stale |= {m for m, last in minutes if last > n}
    return frozenset(stale)

def successors(s):
    rows, roll, derived, marks, hidden, ws, ss, (wc, sc) = s
    for i, (inc, seq, flights, touched) in enumerate(ws):
        for j, (step, no) in enumerate(flights):
            e = EVENTS[i][j]
            def fly(v, rows=rows, marks=marks, seq=seq, touched=touched): return (rows, roll, derived, marks, hidden, replace(ws, i, (inc, seq, replace(flights, j, v), touched)), ss, (wc, sc))
            if step == 4: continue
            if step == 3: yield f"writer {i} commits {e}", fly((4, no)); continue
            what = STEPS[step]
            if what == "row": yield f"writer {i} has {e} acknowledged", fly((step + 1, no), rows=rows | {e})
            elif what in ("number", "mark"):
                now = touch(touched, MINUTE[e], seq + 1)
                yield f"writer {i} takes number {seq + 1} for {e}", fly((step + 1, (seq + 1, now)), seq=seq + 1, touched=now)
            else:
                who = (i, inc)
                no, told = no
                gone = any(h[0] == who and h[1] >= no for h in hidden) or any(m[0] == who and m[1] >= no for m in marks)
                yield f"mark {no} of writer {i} arrives", fly((step + 1, no), marks=marks if gone else frozenset(m for m in marks if m[0] != who) | {(who, no, told)})
        if wc and any(f[0] < 4 for f in flights):
            yield f"writer {i} crashes", (rows, roll, derived, marks, hidden, replace(ws, i, (inc + 1, 0, tuple(f if f[0] == 4 else (0, 0) for f in flights), NEW)), ss, (wc - 1, sc))
    for i, (step, ver, seen, at_start, counted, cache) in enumerate(ss):
        def to(v, roll=roll, derived=derived, marks=marks, hidden=hidden): return (rows, roll, derived, marks, hidden, ws, replace(ss, i, v), (wc, sc))
        if step == 0 and marks: yield f"sealer {i} reads version {roll[0]}", to((1, roll[0], seen, at_start, counted, cache))
        elif step == 1: yield f"sealer {i} reads marks", to((2, ver, marks, at_start, counted, cache))
        elif step == 2: yield f"sealer {i} starts to read rows", to((3, ver, seen, rows, counted, cache))
        elif step == 3:
            stale = stale_of(cache, ver, seen)
            kept = frozenset() if stale is None else frozenset(r for r in cache[1] if MINUTE[r] not in stale)
            fresh = lambda rs: rs if stale is None else frozenset(r for r in rs if MINUTE[r] in stale)
            for more in subsets(fresh(rows - at_start)):
                counted = kept | fresh(at_start) | more
                yield f"sealer {i} has counted {sorted(counted)} (stale {stale})", to((4, ver, seen, frozenset(), counted, cache))
        elif step == 4:
            if NOCAS: yield f"sealer {i} overwrites the rollup", to((5, ver + 1, seen, at_start, counted, cache), roll=(max(ver + 1, roll[0]), counted))
            elif roll[0] == ver: yield f"sealer {i} replaces version {ver}", to((5, ver + 1, seen, at_start, counted, cache), roll=(ver + 1, counted))
            else: yield f"sealer {i} lost the race, starts again", to(IDLE)
        elif step == 5:
            d = (ver, counted) if ver >= derived[0] else derived
            yield f"sealer {i} writes derived rows", to((6, ver, seen, at_start, counted, cache), derived=d)
        elif step == 6:
            read = dict(cache[2] if stale_of(cache, ver - 1, seen) is not None else ())
            for who, no, _ in seen: read[who] = max(read.get(who, 0), no)
            new = (ver, counted, frozenset(read.items()))
            yield f"sealer {i} deletes {sorted(m[:2] for m in seen)}", to((0, 0, frozenset(), frozenset(), frozenset(), new), marks=marks - seen, hidden=hidden | frozenset(m[:2] for m in seen))
        if sc and step: yield f"sealer {i} crashes", (rows, roll, derived, marks, hidden, ws, replace(ss, i, IDLE), (wc, sc - 1))

def main():
    came = {start: None}; queue = [start]; done = 0
    while queue:
        nxt = []
        for s in queue:
            rows, roll, derived, marks, _, ws, ss, _ = s
            if all(f[0] == 4 for w in ws for f in w[2]) and not marks and all(x[0] == 0 for x in ss):
                done += 1
                if roll[1] != rows or derived[1] != rows:
                    path = []
                    while came[s]: step, s = came[s]; path.append(step)
                    print("WRONG after:", *reversed(path), sep="\n  "); sys.exit(1)
            for step, t in successors(s):
                if t not in came: came[t] = (step, s); nxt.append(t)
        queue = nxt
    print(f"{len(came)} states, {done} at rest, all exact")
main()
