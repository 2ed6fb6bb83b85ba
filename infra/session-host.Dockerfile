# The image of a session host, made of what infra/image puts together: one program, the certificates it trusts, and nothing that
# could be run beside it. Where the toolchain cannot link statically, the program's libraries lie beside it.
FROM scratch
COPY root/ /
# Nobody, by number: there is no list of users in here. The file system may be mounted read-only.
USER 65532:65532
# Calls in flight end, outcomes are committed, leases are given back: 40 s at most.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/session-host"]
