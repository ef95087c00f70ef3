"""Consumes with the native push consumer and reports every message.

Events: ready, message (fields of harness.received, plus attempt), done (count). With --expect the driver ends by
itself once it has seen so many different bodies; otherwise when its standard input is closed.
"""
import threading
import time

import harness
from rocketmq.client import PushConsumer, RecvMessage
from rocketmq.exceptions import RocketMQException, ffi_check
from rocketmq.ffi import MessageModel, dll

CONSUMED = 0
RECONSUME_LATER = 1


def parse():
    parser = harness.options(__doc__)
    parser.add_argument('--expression', default='*')
    parser.add_argument('--expect', type=int, default=0, help='different bodies to see before ending')
    parser.add_argument('--orderly', action='store_true')
    parser.add_argument('--broadcasting', action='store_true')
    parser.add_argument('--instance', default='')
    parser.add_argument('--threads', type=int, default=4)
    parser.add_argument('--fail-attempts', type=int, default=0, help='refuse the first attempts of each message')
    return parser.parse_args()


class Listener(object):
    def __init__(self, options, finish):
        self.options = options
        self.finish = finish
        self.lock = threading.Lock()
        self.attempts = {}
        self.accepted = set()

    def __call__(self, _, handle):
        fields = harness.received(RecvMessage(handle))
        body = fields['body']
        with self.lock:
            attempt = self.attempts.get(body, 0) + 1
            self.attempts[body] = attempt
            refused = attempt <= self.options.fail_attempts
            if not refused:
                self.accepted.add(body)
            enough = 0 < self.options.expect <= len(self.accepted)
        harness.emit('message', attempt=attempt, refused=refused, seen=int(time.time() * 1000), **fields)
        if enough:
            self.finish.now()
        return RECONSUME_LATER if refused else CONSUMED


def subscribe(consumer, options, listener):
    """Registers the listener beneath PushConsumer.subscribe, which turns a refusal into a success."""
    ffi_check(dll.Subscribe(consumer._handle, options.topic.encode(), options.expression.encode()))
    consumer._register_callback(listener)


def main():
    options = parse()
    finish = harness.Finish()
    listener = Listener(options, finish)
    harness.start_deadline(
        options.deadline, lambda: '%d of %d consumed' % (len(listener.accepted), options.expect))
    model = MessageModel.BROADCASTING if options.broadcasting else MessageModel.CLUSTERING
    try:
        consumer = PushConsumer(options.group, orderly=options.orderly, message_model=model)
        consumer.set_namesrv_addr(options.namesrv)
        consumer.set_thread_count(options.threads)
        if options.instance:
            consumer.set_instance_name(options.instance)
        subscribe(consumer, options, listener)
        consumer.start()
    except RocketMQException as error:
        harness.emit('failed', reason=str(error))
        harness.leave(harness.CLIENT_FAILED)
    harness.emit('ready')
    finish.wait()
    consumer.shutdown()
    harness.emit('done', count=len(listener.accepted))
    harness.leave(0)


if __name__ == '__main__':
    main()
