/* SPDX-License-Identifier: BSL-1.0
 *
 * How the CPU is given, taken and asked for: block, run, leave, resume, call
 * and reply of the kernel, the look of a scheduler in user mode, and threads
 * that wait for events. run.py checks with Spin that nobody sleeps while there
 * is news for it, however steps, interrupts and time interleave.
 *
 * The kernel's functions have the names that they have in kernel/core and do
 * what they do there, less what only capabilities, memory and accounting need.
 * An entry into the kernel is one step, as interrupts are masked there. Of user
 * programs each access to what the kernel also writes is one step.
 *
 * Dispatchers: 0 is the root server, scheduler of 1 and 2, and serves calls. 1
 * is a domain, or with NESTED a scheduler whose child is 3. With CALLS domains
 * call 0, and 2 calls 1 if that is a scheduler.
 *
 * Times are sets: who blocks until a time has one deadline of its own, which
 * passes when the clock says so. A time that several are waiting for ("the
 * earliest of") is the set of their deadlines. A deadline for which its owner
 * waits no more is forgotten, wherever it was copied to; what such a copy could
 * still do, end a run early, the end of a slice does at any time.
 */
#include "made.pml" /* by run.py: the ABI's numbers, and one for each plant */

/* One program makes all searches of a model: its environment says which mistake
 * is planted (0: none), and whether children are run with RUN_DIRECT. */
c_decl {
\#include <stdlib.h>
static int plant, direct;
static __attribute__((constructor)) void choose(void)
{
    plant = atoi(getenv("PLANT"));
    direct = atoi(getenv("DIRECT"));
}
};
#define PLANTED(mistake) c_expr { plant == mistake }
#define DIRECT           c_expr { direct }

#ifdef NESTED
#define N 4
#else
#define N 3
#endif
#define A    (N - 1) /* the domains that are no schedulers: one that behaves */
#define B    (N - 2) /* and one that may spin and hold its mask */
#define NONE 15
#define ROOT      0
#define CHAIN_MAX 3
#define BIT(d)    (1 << (d))
#define HAS(m, d) (((m) >> (d)) & 1)
#define PARENT(d) ((d) == 3 -> 1 : ROOT)
#ifdef NESTED
#define IS_SCHEDULER(d) ((d) < 2)
#define FIRST_CHILD(d)  ((d) == ROOT -> 1 : 3)
#define LAST_CHILD(d)   ((d) == ROOT -> 2 : 3)
#else
#define IS_SCHEDULER(d) ((d) == ROOT)
#define FIRST_CHILD(d)  1
#define LAST_CHILD(d)   2
#endif

/* Of the kernel */
#define READY   1
#define BLOCKED 2
#define QUEUED  3
#define CALLING 4

/* Where a user program is */
#define S_SWAP    1 /* a scheduler's upcall handler */
#define S_TIME    2
#define S_LOOK    3
#define S_GIVE    4
#define C_ENTRY   5 /* its call entry */
#define C_SERVE   6
#define C_REPLY   7
#define D_SWAP    8 /* a domain's upcall handler */
#define D_EVENTS  9
#define D_GO      10
#define T_RUN     11 /* a domain's thread */
#define T_CHECK   12
#define T_UNMASK  13
#define T_LEAVE   14

typedef dispatcher {
    byte state, told, word; /* word: as its parent's page says */
    byte until, word_until; /* sets of deadlines */
    byte caller, callee, waiters;
    byte urgency;
    /* the upcall page */
    bool mask, saved_slot, events;
    short pending;
    /* the context, and the saved one */
    byte pc, slot;
    /* user: a scheduler's view, a domain's threads */
    byte at, seen, wake, time, last;
    bool reasons, kept, timed;
    bool owed; /* a look, after the call that it serves */
};
dispatcher d[N];
byte wish[N]; /* with which urgency a scheduler runs a child */

byte depth = 1;
byte chain[CHAIN_MAX];
byte level_urgency[CHAIN_MAX];
byte level_until[CHAIN_MAX];
byte level_displaced[CHAIN_MAX]; /* whom it took the CPU from, or NONE */
byte current = ROOT;
bool unsettled = true;
byte armed;   /* the timer: deadlines at which it fires */
byte past;    /* deadlines that have passed */
bool ran;     /* who was given the CPU made a step */
bool sliced;  /* the end of a slice has come */
bool news[N]; /* an event was signalled, and its handler has not seen it */

#define DUE(x)       ((d[x].until & past) != 0)
#define IS_FREE(x)   (d[x].state == BLOCKED && IS_SCHEDULER(x) && \
                      d[x].caller == NONE)
#define ENTRY_OF(x)  (IS_SCHEDULER(x) -> S_SWAP : D_SWAP)

/* Scratch of the functions below; each has its own. */
hidden byte lv, lx, tk, tl, rk, ck, ci, co, bl, bo, wk, wn, wl, wp;
hidden byte px, gk, gc, gp, ek, sk, st, nk, yk, yt, vi, vp, ok, sl, eu, ed, eo;

/* ---- kernel/core/sched.c ------------------------------------------------ */

inline level_of(x)
{
    lv = NONE;
    lx = 0;
    do
    :: lx < depth && chain[lx] == x -> lv = lx; break
    :: lx < depth && chain[lx] != x -> lx++
    :: lx >= depth -> break
    od
}

inline child_state(x)
{
    if
    :: d[x].state >= QUEUED -> ok = CHILD_CALLING
    :: d[x].state == READY -> ok = CHILD_READY
    :: d[x].state == BLOCKED -> ok = CHILD_BLOCKED
    fi
}

inline tell(x)
{
    tk = x;
    d[tk].told = d[tk].state;
    child_state(tk);
    d[tk].word = ok;
    d[tk].word_until = d[tk].until
}

inline tell_news(x)
{
    if
    :: d[x].told != d[x].state -> tell(x)
    :: else
    fi
}

inline sched_set_state(x, s)
{
    d[x].state = s;
    unsettled = true;
    tell(x)
}

inline sched_tell_callers(x)
{
    tl = x;
    do
    :: d[tl].callee != NONE -> tell_news(tl); tl = d[tl].callee
    :: else -> break
    od
}

inline sched_pend(x, reason)
{
    d[x].pending = d[x].pending | (reason);
    if
    :: x == current && d[x].mask == MASK_OFF -> unsettled = true
    :: else
    fi
}

inline rouse(x)
{
    d[x].state = READY;
    unsettled = true;
    if
    :: d[x].caller != NONE -> tell(x)
    :: else
    fi;
    upcall_enter(x, false)
}

inline return_to(x, reason)
{
    rk = x;
    sched_pend(rk, reason);
    if
    :: d[rk].state == BLOCKED -> rouse(rk)
    :: else
    fi
}

inline cut(keep)
{
    ck = keep;
    co = depth;
    depth = ck;
    unsettled = true;
    ci = ck;
    do
    :: ci + 1 < co ->
        return_to(chain[ci], REASON_CHILD);
        tell_news(chain[ci]);
        ci++
    :: else -> break
    od;
    if
    :: ck < co ->
        sched_tell_callers(chain[co - 1]);
        tell_news(tl)
    :: else
    fi;
    ci = ck;
    do
    :: ci < co -> chain[ci] = NONE; level_until[ci] = 0;
        level_urgency[ci] = 0; level_displaced[ci] = NONE; ci++
    :: else -> break
    od
}

/* The end of sched_wake, if x is in the chain. */
inline wake_in_chain(x)
{
    level_of(x);
    bl = lv;
    bo = depth;
    if
    :: bl != NONE ->
        ck = bl + 1;
        cut(ck);
        if
        :: bl + 1 < bo -> return_to(chain[bl], REASON_CHILD)
        :: else
        fi
    :: else
    fi
}

inline give(x, until_set)
{
    chain[depth] = x;
    level_urgency[depth] = d[x].urgency;
    level_until[depth] = until_set;
    depth++
}

inline enter_directly(x)
{
    wp = PARENT(x);
    level_of(wp);
    wl = lv;
    if
    :: DIRECT && wl != NONE && wl + 1 < CHAIN_MAX && d[wp].state == BLOCKED &&
       (wl + 1 >= depth || d[x].urgency > level_urgency[wl + 1]) ->
        eu = (wl + 1 < depth -> level_until[wl + 1] : d[wp].until);
        eu = (PLANTED(DIRECT_UNTIMED) -> 0 : eu);
        eo = (wl + 1 < depth -> chain[wl + 1] : NONE);
        ck = wl + 1;
        cut(ck);
        give(x, eu);
        level_displaced[depth - 1] = eo;
        ed = true
    :: else -> ed = false
    fi
}

inline sched_wake(x)
{
    wk = x;
    do
    :: true ->
        ed = false;
        if
        :: wk != ROOT -> enter_directly(wk)
        :: else
        fi;
        if
        :: ed -> break
        :: else
        fi;
        level_of(wk);
        wn = lv;
        if
        :: wn != NONE -> wake_in_chain(wk); break
        :: wn == NONE && wk == ROOT -> break
        :: else
        fi;
        tell_news(wk);
        wp = PARENT(wk);
        level_of(wp);
        wl = lv;
        if
        :: PLANTED(WAKE_UNTOLD)
        :: else -> sched_pend(wp, REASON_CHILD)
        fi;
        if
        :: d[wp].state != BLOCKED ||
           (wl != NONE && wl + 1 < depth &&
            d[wk].urgency <= level_urgency[wl + 1]) -> break
        :: else
        fi;
        rouse(wp);
        if
        :: PLANTED(WAKE_ONE_LEVEL) -> break
        :: else -> wk = wp
        fi
    od
}

inline wait_until(x, until_set)
{
    ok = (d[x].told != BLOCKED || d[x].until != until_set);
    d[x].mask = MASK_OFF;
    d[x].until = until_set;
    d[x].state = BLOCKED;
    unsettled = true;
    if
    :: ok -> tell(x)
    :: else
    fi
}

inline op_run(x, c, urgent, until_set)
{
    level_of(x);
    gp = lv;
    gc = c;
    if
    :: gp == NONE -> d[x].pc = S_TIME /* STATE: it works for a caller */
    :: gp != NONE && d[x].pending != 0 && !PLANTED(RUN_BLIND) ->
        upcall_enter(x, false)
    :: else ->
        if
        :: d[gc].state == BLOCKED && DUE(gc) ->
            d[gc].pending = d[gc].pending | REASON_TICK;
            rouse(gc)
        :: else
        fi;
        if
        :: d[gc].state != READY && d[gc].callee == NONE ->
            d[x].pc = S_TIME /* STATE: it looks again */
        :: else ->
            gk = until_set;
            ck = gp + 1;
            cut(ck);
            wait_until(x, 0);
            if
            :: d[x].waiters != 0 && d[x].caller == NONE ->
                call_next(x);
                tell_news(gc);
                return_to(x, REASON_CHILD)
            :: else ->
                d[gc].urgency = urgent;
                give(gc, gk)
            fi
        fi
    fi
}

inline expire()
{
    armed = 0;
    ek = 1;
    do
    :: ek < depth ->
        if
        :: (level_until[ek] & past) != 0 || (sliced && ek == 1) ->
            sliced = false;
            cut(ek);
            return_to(chain[ek - 1], REASON_CHILD | REASON_EXPIRED);
            break
        :: else -> armed = armed | level_until[ek]; ek++
        fi
    :: else -> break
    od
}

inline worker_of(x)
{
    sk = x;
    do
    :: sk != NONE && d[sk].state != READY -> sk = d[sk].callee
    :: else -> break
    od
}

inline sched_settle()
{
    armed = 0;
    do
    :: true ->
        expire();
        st = chain[depth - 1];
        worker_of(st);
        current = sk;
        if
        :: current != NONE ->
            upcall_check(current);
            unsettled = false;
            break
        :: current == NONE && depth > 1 ->
            cut(depth - 1);
            return_to(chain[depth - 1], REASON_CHILD)
        :: current == NONE && depth == 1 && DUE(st) &&
           d[st].state == BLOCKED ->
            return_to(st, REASON_TICK)
        :: else -> /* the timer ends this wait */
            armed = (PLANTED(IDLE_UNTIMED) -> 0 : d[st].until);
            break
        fi
    od;
    sliced = false
}

/* ---- kernel/core/upcall.c ----------------------------------------------- */

inline upcall_enter(x, interrupted)
{
    d[x].mask = MASK_ON;
    d[x].saved_slot = interrupted;
    d[x].pc = ENTRY_OF(x)
}

inline upcall_check(x)
{
    if
    :: d[x].pending != 0 && d[x].mask == MASK_OFF ->
        d[x].slot = d[x].pc;
        upcall_enter(x, true)
    :: else
    fi
}

inline upcall_post(x, reason)
{
    px = x;
    sched_pend(px, reason);
    if
    :: d[px].state == BLOCKED ->
        rouse(px);
        sched_wake(px)
    :: else
    fi
}

inline upcall_event(x)
{
    d[x].events = true;
    news[x] = true;
    upcall_post(x, REASON_EVENT)
}

inline op_leave(x)
{
    d[x].mask = MASK_OFF;
    upcall_check(x)
}

inline op_resume(x)
{
    if
    :: d[x].pending != 0 && !PLANTED(RESUME_BLIND) -> upcall_enter(x, true)
    :: else -> d[x].mask = MASK_OFF; d[x].pc = d[x].slot; d[x].slot = 0
    fi
}

inline give_up(x)
{
    eo = level_displaced[depth - 1];
    if
    :: chain[depth - 1] == x && eo != NONE &&
       d[chain[depth - 2]].pending == 0 ->
        chain[depth - 1] = eo;
        level_urgency[depth - 1] = d[eo].urgency;
        level_displaced[depth - 1] = NONE;
        level_until[depth - 1] = level_until[depth - 1] |
            (PLANTED(BACK_UNTIMED) -> 0 : d[x].until)
    :: else ->
        cut(depth - 1);
        return_to(chain[depth - 1], REASON_CHILD)
    fi
}

inline op_block(x, until_set)
{
    if
    :: d[x].pending != 0 && !PLANTED(BLOCK_BLIND) -> upcall_enter(x, false)
    :: else ->
        wait_until(x, until_set);
        if
        :: d[x].waiters != 0 -> call_next(x)
        :: d[x].waiters == 0 && depth > 1 -> give_up(x)
        :: else
        fi
    fi
}

/* ---- kernel/core/call.c ------------------------------------------------- */

inline call_next(x)
{
    if
    :: d[x].waiters != 0 && IS_FREE(x) ->
        nk = 0;
        do
        :: HAS(d[x].waiters, nk) -> break
        :: else -> nk++
        od;
        d[x].waiters = d[x].waiters & ~BIT(nk);
        d[x].caller = nk;
        d[nk].callee = x;
        d[x].pc = C_ENTRY;
        sched_set_state(nk, CALLING);
        sched_set_state(x, READY)
    :: else
    fi
}

inline call_enter(x, to)
{
    if
    :: IS_FREE(to) -> /* the fast one, which tells nobody */
        d[x].callee = to;
        d[x].state = CALLING;
        d[to].caller = x;
        d[to].state = READY;
        d[to].pc = C_ENTRY;
        current = to;
        if
        :: PLANTED(CALL_UNTOLD)
        :: else -> sched_tell_callers(chain[depth - 1])
        fi
    :: else ->
        d[x].callee = to;
        d[to].waiters = d[to].waiters | BIT(x);
        sched_set_state(x, QUEUED)
    fi
}

inline call_reply(x)
{
    yt = d[x].caller;
    d[x].pc = S_SWAP; /* if it goes on */
    if
    :: yt == NONE /* NOREPLY */
    :: yt != NONE && d[x].waiters == 0 && d[x].told == BLOCKED &&
       d[yt].pending == 0 &&
       (d[x].pending == 0 || PLANTED(REPLY_BLIND)) ->
        d[x].mask = MASK_OFF;
        d[x].until = (PLANTED(REPLY_UNTIMED) -> 0 : d[x].until);
        d[x].caller = NONE;
        d[x].state = BLOCKED;
        d[yt].callee = NONE;
        d[yt].state = READY;
        current = yt
    :: else ->
        d[x].caller = NONE;
        wait_for_call(x);
        d[yt].callee = NONE;
        sched_set_state(yt, READY);
        if
        :: chain[depth - 1] != yt -> sched_wake(yt)
        :: else
        fi;
        call_next(x);
        if
        :: d[x].state == READY && d[x].caller == NONE -> sched_wake(x)
        :: else
        fi
    fi
}

inline wait_for_call(x)
{
    d[x].mask = MASK_OFF;
    d[x].until = (PLANTED(REPLY_UNTIMED) -> 0 : d[x].until);
    if
    :: d[x].pending != 0 -> upcall_enter(x, false)
    :: else -> sched_set_state(x, BLOCKED)
    fi
}

/* ---- the way out, and what must hold there ------------------------------ */

inline trap_next()
{
    if
    :: unsettled -> sched_settle()
    :: else
    fi;
    check()
}

inline check()
{
    assert(current == NONE || d[current].state == READY);
    /* A scheduler that is called keeps what it did not have to know at once
     * (see below) until the call is over. */
    assert(current == NONE || d[current].pending == 0 ||
           d[current].mask != MASK_OFF ||
           (d[current].pending == REASON_CHILD && d[current].caller != NONE));
    vi = 0;
    do
    :: vi < N -> check_sleeper(vi); vi++
    :: else -> break
    od
}

/* A scheduler that runs a child may have CHILD pending: one that is no more
 * urgent than the child has woken, and the end of the slice is near enough. */
#define MADE_ROOM(x) (lv != NONE && lv + 1 < depth && \
                      level_displaced[lv + 1] == x)
inline check_sleeper(x)
{
    level_of(x);
    wl = lv;
    assert(d[x].state != BLOCKED || d[x].pending == 0 ||
           (d[x].pending == REASON_CHILD && wl != NONE && wl + 1 < depth));
    if
    :: x != ROOT && wl == NONE ->
        vp = PARENT(x);
        level_of(vp);
        /* Who can run and does not: its scheduler knows it, or will look, or
         * is asked when it has the CPU again and cannot go on. */
        assert(d[x].state != READY || d[x].caller != NONE ||
               d[vp].state != BLOCKED || HAS(d[vp].seen, x) ||
               MADE_ROOM(x) ||
               (d[vp].pending != 0 &&
                d[x].urgency <= level_urgency[lv + 1]));
        /* Who waits for a time: its scheduler knows that it has come, or gets
         * the CPU when it comes, or is to look when one that is no less urgent
         * lets it: that one's time can make x decide until when it waits. */
        assert(d[x].state != BLOCKED || d[vp].state != BLOCKED ||
               HAS(d[vp].seen, x) || MADE_ROOM(x) ||
               (d[vp].pending != 0 &&
                d[x].urgency <= level_urgency[lv + 1]) ||
               (d[x].until &
                ~(lv == NONE -> d[vp].until :
                  (lv + 1 < depth -> level_until[lv + 1] : armed))) == 0)
    :: else
    fi;
    /* Nobody works: then nobody can. */
    assert(current != NONE || d[x].state != READY);
    assert(current != NONE || d[x].state != BLOCKED ||
           (d[x].until & ~armed) == 0)
}

/* ---- user programs ------------------------------------------------------ */

/* With TURNS, whoever gets the CPU has it for a step at least: interrupts and
 * deadlines do not come infinitely fast. */
#define RAN(really) ran = ran || (TURNS && (really))
#define TIME_GOES   (ran || !TURNS || current == NONE)

#define STEP(where) (current == x && d[x].pc == where)
#define EXPIRED(x)  (d[x].timed && HAS(past, x))

inline word_check(c)
{
    ci = c;
    child_state(ci);
    assert(d[ci].word == ok)
}

/* rootserver/schedule.c; S_GIVE is in the process below. */
inline look(x, c)
{
    word_check(c);
    d[x].seen = d[x].seen & ~BIT(c);
    if
    :: d[c].word == CHILD_READY ||
       (d[c].word == CHILD_BLOCKED &&
        (d[c].word_until & d[x].time) != 0) ->
        d[x].seen = d[x].seen | BIT(c)
    :: d[c].word == CHILD_BLOCKED &&
       (d[c].word_until & d[x].time) == 0 ->
        d[x].wake = d[x].wake | d[c].word_until
    :: else
    fi
}

proctype scheduler(byte x)
{
    byte c;
    do
    :: atomic { STEP(S_SWAP) -> RAN(x != ROOT); d_step {
        ok = d[x].saved_slot;
        d[x].saved_slot = false;
        d[x].pending = 0;
        d[x].pc = S_TIME;
        if
        :: ok -> /* a call just begun goes first */
            d[x].owed = !PLANTED(CALL_FORGETS);
            op_resume(x);
            trap_next()
        :: else
        fi; skip } }
    :: atomic { STEP(S_TIME) -> RAN(x != ROOT); d_step {
        ran = ran && x != ROOT;
        d[x].time = past;
        d[x].wake = 0;
        d[x].at = FIRST_CHILD(x);
        d[x].pc = S_LOOK } }
    :: atomic { STEP(S_LOOK) -> RAN(x != ROOT); d_step {
        c = d[x].at;
        look(x, c);
        if
        :: c == LAST_CHILD(x) -> d[x].pc = S_GIVE; d[x].at = 0
        :: else -> d[x].at = c + 1
        fi;
        d[x].pending = (PLANTED(SWAP_LATE) -> 0 : d[x].pending);
        d[x].time = (d[x].pc == S_GIVE -> 0 : d[x].time);
        c = 0 } }
    :: atomic { STEP(S_GIVE) -> RAN(x != ROOT);
        if
        :: HAS(d[x].seen, FIRST_CHILD(x)) && (!TURNS ||
           d[x].last != FIRST_CHILD(x) || d[x].seen == BIT(FIRST_CHILD(x))) ->
            c = FIRST_CHILD(x)
        :: FIRST_CHILD(x) != LAST_CHILD(x) && HAS(d[x].seen, LAST_CHILD(x)) &&
           (!TURNS || d[x].last != LAST_CHILD(x) ||
           d[x].seen == BIT(LAST_CHILD(x))) ->
            c = LAST_CHILD(x)
        :: d[x].seen == 0 -> c = NONE
        fi;
        d_step {
        if
        :: c != NONE ->
            op_run(x, c, wish[c], d[x].wake);
            d[x].last = (d[x].state == BLOCKED && TURNS -> c : d[x].last)
        :: else -> op_block(x, d[x].wake)
        fi;
        d[x].wake = 0;
        c = 0;
        trap_next(); skip } }
    :: atomic { STEP(C_ENTRY) -> RAN(x != ROOT);
        d[x].mask = MASK_ON;
        d[x].pc = C_SERVE }
    :: atomic { STEP(C_SERVE) -> RAN(x != ROOT); d_step {
        c = FIRST_CHILD(x);
        word_check(c);
        c = LAST_CHILD(x);
        word_check(c);
        c = 0;
        d[x].pc = C_REPLY;
        d[x].pending = d[x].pending | (d[x].owed -> REASON_CHILD : 0);
        d[x].owed = false } }
    :: atomic { STEP(C_REPLY) -> RAN(x != ROOT); d_step {
        call_reply(x);
        trap_next();
        skip } }
    od
}

inline sleep(x)
{
    sl = (d[x].timed -> BIT(x) : 0);
    op_block(x, sl);
    trap_next()
}

/* Its thread waits no more, so nobody needs the deadline. */
inline forget(x)
{
    d[x].timed = false;
    past = past & ~BIT(x);
    armed = armed & ~BIT(x);
    vi = 0;
    do
    :: vi < N ->
        d[vi].until = d[vi].until & ~BIT(x);
        d[vi].word_until = d[vi].word_until & ~BIT(x);
        d[vi].wake = d[vi].wake & ~BIT(x);
        d[vi].time = d[vi].time & ~BIT(x);
        vi++
    :: else -> break
    od;
    level_until[1] = level_until[1] & ~BIT(x);
    level_until[2] = level_until[2] & ~BIT(x)
}

/* libos/core: upcall.c, event.c, page.h */
proctype domain(byte x)
{
    byte to;
    do
    :: atomic { STEP(D_SWAP) -> RAN(true); d_step {
        d[x].reasons = (d[x].pending & REASON_EVENT) != 0;
        d[x].pending = 0;
        d[x].pc = D_EVENTS } }
    :: atomic { STEP(D_EVENTS) -> RAN(true); d_step {
        if
        :: d[x].reasons ->
            d[x].kept = d[x].kept || d[x].events;
            d[x].events = false;
            news[x] = false;
            d[x].reasons = false
        :: else
        fi;
        d[x].pc = D_GO } }
    :: atomic { STEP(D_GO) -> RAN(true); d_step {
        if
        :: d[x].saved_slot ->
            d[x].saved_slot = false;
            d[x].pc = D_SWAP;
            op_resume(x);
            trap_next()
        :: !d[x].saved_slot && (d[x].kept || EXPIRED(x)) ->
            d[x].kept = false;
            d[x].pc = T_UNMASK;
            forget(x)
        :: else -> sleep(x)
        fi; skip } }
    :: atomic { STEP(T_RUN) -> RAN(true);
        assert(d[x].pending == 0);
        if
        :: true /* it spins */
        :: d_step { d[x].mask = MASK_ON; d[x].pc = T_CHECK }
        :: x == B -> d_step { upcall_event(A); trap_next(); skip }
#ifdef CALLS
        :: to = (x == B && IS_SCHEDULER(1) -> 1 : PARENT(x));
           d_step { call_enter(x, to); to = 0; trap_next(); skip }
#endif
        fi }
    :: atomic { STEP(T_CHECK) && d[x].kept -> RAN(true);
        d[x].kept = false; d[x].pc = T_UNMASK }
    :: atomic { STEP(T_CHECK) && !d[x].kept -> RAN(true);
        if
        :: true -> d_step { sleep(x); skip }
        :: true -> d_step { d[x].timed = true; sleep(x); skip }
        :: x == B /* it holds its mask */
        fi }
    :: atomic { STEP(T_UNMASK) -> RAN(true);
        d[x].mask = MASK_OFF;
        d[x].pc = T_LEAVE }
    :: atomic { STEP(T_LEAVE) -> RAN(true); d_step {
        d[x].pc = T_RUN;
        if
        :: d[x].pending != 0 && !PLANTED(UNMASK_BLIND) ->
            op_leave(x);
            trap_next()
        :: else
        fi;
        skip } }
    od
}

/* ---- the machine -------------------------------------------------------- */

/* A device: events for any domain at any time, and one day no more. */
proctype device()
{
    do
    :: atomic { TIME_GOES -> d_step {
        upcall_event(A); unsettled = true; trap_next(); skip } }
    :: atomic { TIME_GOES -> d_step {
        upcall_event(B); unsettled = true; trap_next(); skip } }
    :: break
    od
}

/* A deadline passes; the timer fires if it is set to it. */
inline time_passes(x)
{
    past = past | BIT(x);
    if
    :: (armed & past) != 0 -> unsettled = true; trap_next()
    :: else
    fi
}

proctype clock(byte x)
{
    do
    :: atomic { d[x].timed && !HAS(past, x) && TIME_GOES -> d_step {
        time_passes(x); skip } }
    od
}

/* The first scheduler gives no run without an end. */
proctype slice()
{
    do
    :: atomic { depth > 1 && TIME_GOES -> d_step {
        sliced = true; unsettled = true; trap_next(); skip } }
    od
}

init
{
    atomic {
        if
        :: wish[1] = 1
        :: wish[1] = 2
        fi;
        wish[2] = 3 - wish[1];
        wish[N - 1] = (N > 3 -> 1 : wish[2]);
        d_step {
            vi = 0;
            do
            :: vi < N ->
                d[vi].state = READY;
                d[vi].told = READY;
                d[vi].word = CHILD_READY;
                d[vi].caller = NONE;
                d[vi].callee = NONE;
                d[vi].mask = MASK_ON;
                d[vi].pc = (IS_SCHEDULER(vi) -> S_SWAP : T_UNMASK);
                vi++
            :: else -> break
            od;
            chain[1] = NONE;
            chain[2] = NONE;
            level_displaced[1] = NONE;
            level_displaced[2] = NONE
        }
        run scheduler(ROOT);
#ifdef NESTED
        run scheduler(1);
#endif
        run domain(A);
        run domain(B);
        run clock(A);
        run clock(B);
        run device();
        run slice();
    }
}

/* Events reach the handler of a domain that behaves; so do its times. */
ltl heard { [] (news[A] -> <> !news[A]) }
ltl woken { [] (EXPIRED(A) -> <> !EXPIRED(A)) }
