# Starts wstest (CPython 2.7) from the folder that this file was copied to by
# `install`; with --list-cases SPEC, prints the cases that SPEC selects.
import os
import site
import sys
import warnings

warnings.filterwarnings("ignore", message="Python 2 is no longer supported")
site.addsitedir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "site"))

import autobahntestsuite  # first: it chooses Twisted's reactor
from twisted.internet import reactor

if len(sys.argv) == 3 and sys.argv[1] == "--list-cases":
    import json
    from autobahntestsuite import case, caseset
    cases = caseset.CaseSet(case.CaseSetname, case.CaseBasename, case.Cases,
                            case.CaseCategories, case.CaseSubCategories)
    print "\n".join(cases.parseSpecCases(json.load(open(sys.argv[2]))))
    sys.exit(0)

# wstest would listen on every interface, and not say when it does.
listen_tcp = reactor.listenTCP


def listen(port, factory, backlog=50, interface=""):
    listening = listen_tcp(port, factory, backlog, interface or "127.0.0.1")
    print "listening on ws://127.0.0.1:%d" % listening.getHost().port
    return listening


reactor.listenTCP = listen

from autobahntestsuite import wstest
sys.argv[0] = "wstest"
wstest.run()
