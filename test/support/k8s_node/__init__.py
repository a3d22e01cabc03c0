"""A node for the Kubernetes double: it runs the containers of Deployments as processes.

  api.py   asks the API server, follows a list by watching it
  pod.py   one pod: volumes, containers, probes, restarts
  node.py  Deployments to pods, Services to sockets, status back

An image is the folder of programs; there is no isolation.  Paths below a volume's mount
are moved below the pod's folder, and a container port is a unix socket there.  A Service is
a link to the socket of its ready pod: `ROOT/run/{suffix}.{port}`, where the suffix is the
part of the Service's name after the last dash, so that `maintner-rtr --backend
unix:ROOT/run/{sha}.9000` finds `mtr-s-<sha>:9000`.
"""
