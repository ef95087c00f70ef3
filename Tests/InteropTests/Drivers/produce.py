"""Sends messages with the native producer and reports every acknowledged one.

Bodies are `<prefix>-<number>`. Events: ready, acked (body, id, offset), refused (body, reason), done (count).
"""
import threading

import harness
from rocketmq.client import Message, Producer, SendStatus
from rocketmq.exceptions import RocketMQException

BATCH = 16


def parse():
    parser = harness.options(__doc__)
    parser.add_argument('--mode', choices=['sync', 'oneway', 'orderly', 'batch', 'persistent'], default='sync')
    parser.add_argument('--count', type=int, default=1)
    parser.add_argument('--prefix', default='message')
    parser.add_argument('--tags', default='', help='comma list, used in turn')
    parser.add_argument('--keys', action='store_true', help='key each message with its body')
    parser.add_argument('--level', type=int, default=0, help='delay level')
    parser.add_argument('--property', default='', help='name=value')
    parser.add_argument('--orders', type=int, default=4, help='ordering keys of --mode orderly')
    parser.add_argument('--threads', type=int, default=1, help='senders of --mode persistent')
    parser.add_argument('--padding', type=int, default=0, help='bytes appended to every body')
    return parser.parse_args()


class Sender(object):
    def __init__(self, options):
        self.options = options
        self.acked = 0
        self.lock = threading.Lock()
        self.producer = Producer(options.group, timeout=3000)
        self.producer.set_namesrv_addr(options.namesrv)
        self.tags = [tag for tag in options.tags.split(',') if tag]

    def body(self, number):
        padding = '.' * self.options.padding
        return '%s-%d%s' % (self.options.prefix, number, padding)

    def message(self, number):
        message = Message(self.options.topic)
        message.set_body(self.body(number))
        if self.tags:
            message.set_tags(self.tags[number % len(self.tags)])
        if self.options.keys:
            message.set_keys(self.body(number))
        if self.options.level:
            message.set_delay_time_level(self.options.level)
        if self.options.property:
            name, value = self.options.property.split('=', 1)
            message.set_property(name, value)
        return message

    def count(self, number, result=None, **values):
        if result is not None:
            values.update(id=result.msg_id, offset=result.offset)
        with self.lock:
            self.acked += 1
        harness.emit('acked', body=self.body(number), **values)

    def refuse(self, number, error):
        harness.emit('refused', body=self.body(number), reason=str(error))

    def sync(self):
        for number in range(self.options.count):
            result = self.producer.send_sync(self.message(number))
            if result.status == SendStatus.OK:
                self.count(number, result)
            else:
                self.refuse(number, result.status)

    def oneway(self):
        for number in range(self.options.count):
            self.producer.send_oneway(self.message(number))
            self.count(number)

    def orderly(self):
        for number in range(self.options.count):
            order = number % self.options.orders
            result = self.producer.send_orderly(self.message(number), order)
            self.count(number, result, order=order)

    def batch(self):
        for first in range(0, self.options.count, BATCH):
            numbers = range(first, min(first + BATCH, self.options.count))
            result = self.producer.send_batch([self.message(number) for number in numbers])
            for number in numbers:
                self.count(number, result)

    def persistent(self):
        """Repeats each message until it is acknowledged: the broker may die at any moment."""
        step = self.options.threads
        threads = [threading.Thread(target=self.repeat, args=(first, step)) for first in range(step)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def repeat(self, first, step):
        pause = threading.Event()
        for number in range(first, self.options.count, step):
            while True:
                try:
                    result = self.producer.send_sync(self.message(number))
                    if result.status == SendStatus.OK:
                        self.count(number, result)
                        break
                except RocketMQException as error:
                    self.refuse(number, error)
                    pause.wait(0.05)


def main():
    options = parse()
    sender = Sender(options)
    harness.start_deadline(options.deadline, lambda: '%d of %d acknowledged' % (sender.acked, options.count))
    try:
        sender.producer.start()
        harness.emit('ready')
        getattr(sender, options.mode)()
        sender.producer.shutdown()
    except RocketMQException as error:
        harness.emit('failed', reason=str(error))
        harness.leave(harness.CLIENT_FAILED)
    harness.emit('done', count=sender.acked)
    harness.leave(0)


if __name__ == '__main__':
    main()
