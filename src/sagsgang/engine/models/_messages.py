# SPDX-License-Identifier: MPL-2.0
"""Messages and signals on their way."""

from __future__ import annotations

from django.db import models

__all__ = ["Message", "Signal"]


class Message(models.Model):
    """A message on its way or delivered; ``message_id`` lets the same message in once only.

    Attributes:
        expires_at: An undelivered message is dropped then; a delivered one is remembered till then.
        instance_id: The instance that got it, null as long as nobody waits for it.
    """

    message_id = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255)
    correlation_key = models.CharField(max_length=255, blank=True)
    variables = models.TextField()
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    instance_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["name", "correlation_key"],
                name="engine_message_waiting",
                condition=models.Q(delivered_at__isnull=True),
            ),
            models.Index(fields=["expires_at"], name="engine_message_expires"),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.message_id})"


class Signal(models.Model):
    """A signal that is being broadcast, a portion of its subscribers at a time.

    Attributes:
        sender: The instance that threw it, which has heard it in the same step; 0 from outside.
        cursor_instance: The last instance that has got it; the order is by instance, then wait.
        cursor_wait: The last wait of that instance.
    """

    signal_id = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255)
    variables = models.TextField()
    sent_at = models.DateTimeField()
    sender = models.BigIntegerField(default=0, db_default=0)
    cursor_instance = models.BigIntegerField(default=0)
    cursor_wait = models.BigIntegerField(default=0)
    starts_done = models.BooleanField(default=False)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(
                fields=["sent_at"],
                name="engine_signal_pending",
                condition=models.Q(done_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.signal_id})"
