"""A mail server that is not ours: aiosmtpd. Prints its port, and then each mail it takes as a JSON line."""

import json
import sys

from aiosmtpd.controller import Controller


class Keep:
    async def handle_DATA(self, server, session, envelope):
        mail = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "raw": envelope.content.decode("utf-8")}
        print(json.dumps(mail), flush=True)
        return "250 2.0.0 Ok: kept by aiosmtpd-000000001"


controller = Controller(Keep(), hostname="127.0.0.1", port=int(sys.argv[1]), enable_SMTPUTF8=True)
controller.start()
print(json.dumps({"port": controller.port}), flush=True)
sys.stdin.read()
controller.stop()
