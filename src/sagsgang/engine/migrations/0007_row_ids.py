# SPDX-License-Identifier: MPL-2.0
"""Instances stand under SQLite's own row number. The code of before goes on with it."""

from django.db import migrations

import sagsgang.engine.fields


class Migration(migrations.Migration):

    dependencies = [
        ('engine', '0006_signal_sender'),
    ]

    operations = [
        migrations.AlterField(
            model_name='processinstance',
            name='id',
            field=sagsgang.engine.fields.RowIdField(primary_key=True, serialize=False),
        ),
    ]
