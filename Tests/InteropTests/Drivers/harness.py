"""What every driver shares: options, one JSON object per output line, an overall deadline, an orderly way out.

A driver never sleeps to wait. It ends when it has counted what it was told to expect, when its standard input is
closed, or, failing, at its deadline.
"""
import argparse
import json
import os
import sys
import threading

_output = threading.Lock()

# Exit statuses: the deadline passed before the driver had counted what it expects; the client refused to work.
DEADLINE_PASSED = 3
CLIENT_FAILED = 4


def emit(event, **values):
    """Writes one event: a JSON object on a line of its own."""
    values['event'] = event
    line = json.dumps(values, sort_keys=True)
    with _output:
        sys.stdout.write(line + '\n')
        sys.stdout.flush()


def leave(status):
    """Ends the process without running destructors: the native client may still be inside a callback."""
    sys.stdout.flush()
    os._exit(status)


def text(value):
    """A property of a received message as text; the client hands out bytes, or nothing."""
    if value is None:
        return ''
    if isinstance(value, bytes):
        return value.decode('utf-8', 'replace')
    return value


def received(message):
    """The fields of a received message that the tests compare."""
    return {
        'topic': message.topic,
        'body': text(message.body),
        'tags': text(message.tags),
        'keys': text(message.keys),
        'queue': message.queue_id,
        'offset': message.queue_offset,
        'reconsumed': message.reconsume_times,
        'born': message.born_timestamp,
        'stored': message.store_timestamp,
        'id': message.id,
    }


def options(description):
    """The options that every driver takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--namesrv', required=True, help='name servers, separated by ;')
    parser.add_argument('--topic', required=True)
    parser.add_argument('--group', required=True)
    parser.add_argument('--deadline', type=float, default=60, help='seconds until the driver gives up')
    return parser


def start_deadline(seconds, describe):
    """Gives up after so many seconds, saying what `describe` returns."""

    def give_up():
        emit('deadline', detail=describe())
        leave(DEADLINE_PASSED)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()


class Finish(object):
    """The moment a driver may end: enough was counted, or standard input was closed."""

    def __init__(self):
        self._done = threading.Event()
        reader = threading.Thread(target=self._watch_input)
        reader.daemon = True
        reader.start()

    def _watch_input(self):
        sys.stdin.read()
        self._done.set()

    def now(self):
        self._done.set()

    def wait(self):
        self._done.wait()
