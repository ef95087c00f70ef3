"""Reads a topic with the native pull consumer until so many different bodies were seen.

Events: ready, message (fields of harness.received), done (count).
"""
import threading

import harness
from rocketmq.client import PullConsumer
from rocketmq.exceptions import RocketMQException


def parse():
    parser = harness.options(__doc__)
    parser.add_argument('--expression', default='*')
    parser.add_argument('--expect', type=int, required=True)
    return parser.parse_args()


def main():
    options = parse()
    seen = set()
    pause = threading.Event()
    harness.start_deadline(options.deadline, lambda: '%d of %d pulled' % (len(seen), options.expect))
    try:
        consumer = PullConsumer(options.group)
        consumer.set_namesrv_addr(options.namesrv)
        consumer.start()
        harness.emit('ready')
        while len(seen) < options.expect:
            for message in consumer.pull(options.topic, options.expression):
                fields = harness.received(message)
                seen.add(fields['body'])
                harness.emit('message', **fields)
            pause.wait(0.02)
        consumer.shutdown()
    except RocketMQException as error:
        harness.emit('failed', reason=str(error))
        harness.leave(harness.CLIENT_FAILED)
    harness.emit('done', count=len(seen))
    harness.leave(0)


if __name__ == '__main__':
    main()
