#!/bin/sh
# For keepalived's vrrp_script: 0 when this machine's haproxy answers within a second.
#
# A connection alone proves nothing: the kernel accepts it for a haproxy that is stopped (SIGSTOP) or stuck.
# Backends are left out on purpose: they are the same behind every load balancer, and VIPs that move for their sake
# only break connections (openshift/machine-config-operator PR 3339).
set -eu
ask() { "$(dirname "$0")/ask.sh" unix /run/haproxy/admin.sock 'show info' 1 2>/dev/null; }
code=0
answer=$(ask) || code=$?
# In a reload the socket just goes from one worker to the next: ask again. A question that hung has had its second.
if [ $code -eq 1 ]; then answer=$(ask); fi
case $answer in *'Pid: '*) ;; *) exit 1 ;; esac
