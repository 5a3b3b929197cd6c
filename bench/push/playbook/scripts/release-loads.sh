#!/bin/sh
systemd-run -q --pipe --wait --collect -p User=www-data -p PrivateTmp=yes -p EnvironmentFile=/etc/ha-cluster/app.env \
    -p EnvironmentFile=/etc/ha-cluster/secrets/app.env -p WorkingDirectory=/srv/app/current -p RuntimeMaxSec=30 \
    /usr/bin/python3 -Bc 'import wsgi'
