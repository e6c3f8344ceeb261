# SPDX-License-Identifier: Apache-2.0
# worker.py MODE [FILE]: waits for signals. default: has no handlers; exits: exits 0
# on SIGTERM, SIGINT, SIGQUIT; stubborn: ignores them; dumps: faulthandler's. FILE is
# made once it is ready, with its pid.
import faulthandler, os, signal, sys

mode = sys.argv[1]
for n in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
    if mode == "exits":
        signal.signal(n, lambda *_: os._exit(0))
    elif mode == "stubborn":
        signal.signal(n, signal.SIG_IGN)
    else:
        signal.signal(n, signal.SIG_DFL)
if mode == "dumps":
    faulthandler.enable()
if len(sys.argv) > 2:
    with open(sys.argv[2] + ".new", "w") as f:
        f.write(str(os.getpid()))
    os.rename(sys.argv[2] + ".new", sys.argv[2])
while True:
    signal.pause()
