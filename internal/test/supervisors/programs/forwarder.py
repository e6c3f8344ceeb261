# SPDX-License-Identifier: Apache-2.0
# forwarder.py NAME CHILDREN MODE [SIGNAL=ACTION,ACTION…]…: a supervisor in small.
# It starts children, handles the signals that are named with these actions, and
# takes further lines of actions from the FIFO NAME.do. Once all is ready it writes
# its children's pids into NAME.ready. MODE is how a child takes SIGTERM, SIGINT and
# SIGQUIT: default, exits, stubborn; hog: default, and once the file NAME.hog is
# there it takes memory until it is ended; reopens: default, it handles SIGUSR1 and
# goes on, and exits 0 once the file NAME.leave is there.
#
#   wait:S          does nothing for S seconds (a drain)
#   kill:SIGNAL     sends it to all children; kill:SIGNAL:N to the one with number N
#   spawn           starts one more child
#   reap            waits until its children have ended
#   touch:NAME      makes a file
#   raise:SIGNAL    sends itself a signal, with the default action
#   crash           accesses memory that is not its own
#   exit:N          exits
import ctypes, os, select, signal, sys, time

name, count, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
on = {}
for a in sys.argv[4:]:
    key, actions = a.split("=", 1)
    on[getattr(signal, "SIG" + key)] = actions
kids = []
told, telling = os.pipe()


def child():
    signal.set_wakeup_fd(-1)
    for n in list(on) + [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD]:
        signal.signal(n, signal.SIG_DFL)
    for n in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        if mode == "exits":
            signal.signal(n, lambda *_: os._exit(0))
        elif mode == "stubborn":
            signal.signal(n, signal.SIG_IGN)
    if mode == "reopens":
        signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.write(telling, b".")
    if mode == "hog":
        while not os.path.exists(name + ".hog"):
            time.sleep(0.01)
        taken = []
        while True:
            taken.append(bytearray(os.urandom(1 << 20)))
    while True:
        if os.path.exists("%s.fault.%d" % (name, os.getpid())):
            ctypes.string_at(0)
        if mode == "reopens" and os.path.exists(name + ".leave"):
            os._exit(0)
        time.sleep(0.01)


def spawn():
    # What is sent to the child before it is ready waits for that.
    old = signal.pthread_sigmask(signal.SIG_BLOCK, list(signal.valid_signals()))
    pid = os.fork()
    if pid == 0:
        try:
            child()
        finally:
            os._exit(99)
    signal.pthread_sigmask(signal.SIG_SETMASK, old)
    os.read(told, 1)
    kids.append(pid)


def put(file, text):
    with open(file + ".new", "w") as f:
        f.write(text)
    os.rename(file + ".new", file)


def send(pid, n):
    try:
        os.kill(pid, n)
    except ProcessLookupError:
        pass


def act(action):
    verb, *args = action.split(":")
    if verb == "wait":
        time.sleep(float(args[0]))
    elif verb == "kill":
        for pid in kids if len(args) == 1 else [kids[int(args[1])]]:
            send(pid, getattr(signal, "SIG" + args[0]))
    elif verb == "spawn":
        spawn()
    elif verb == "reap":
        while True:
            try:
                os.waitpid(-1, 0)
            except ChildProcessError:
                break
    elif verb == "touch":
        put(name + "." + args[0], " ".join(map(str, kids)))
    elif verb == "raise":
        n = getattr(signal, "SIG" + args[0])
        signal.signal(n, signal.SIG_DFL)
        os.kill(os.getpid(), n)
    elif verb == "crash":
        ctypes.string_at(0)
    elif verb == "exit":
        os._exit(int(args[0]))
    else:
        raise ValueError(action)


r, w = os.pipe()
os.set_blocking(w, False)
signal.set_wakeup_fd(w)
for n in on:
    signal.signal(n, lambda *_: None)
for _ in range(count):
    spawn()
os.mkfifo(name + ".do")
do = os.open(name + ".do", os.O_RDWR)
put(name + ".ready", " ".join(map(str, kids)))
lines = b""
while True:
    ready, _, _ = select.select([r, do], [], [])
    if r in ready:
        for n in os.read(r, 64):
            if n == signal.SIGCHLD:
                # Only an abnormal end is for its actions.
                crashed = False
                while True:
                    try:
                        pid, how = os.waitpid(-1, os.WNOHANG)
                    except ChildProcessError:
                        break
                    if pid == 0:
                        break
                    crashed = crashed or how != 0
                if not crashed:
                    continue
            for a in on.get(n, "").split(","):
                if a:
                    act(a)
    if do in ready:
        lines += os.read(do, 4096)
        *whole, lines = lines.split(b"\n")
        for line in whole:
            for a in line.decode().split(","):
                act(a)
