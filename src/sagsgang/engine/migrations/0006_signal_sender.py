# SPDX-License-Identifier: MPL-2.0
"""Who threw a signal. Only adds: the code of before goes on with it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('engine', '0005_start_triggers'),
    ]

    operations = [
        migrations.AddField(
            model_name='signal',
            name='sender',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
    ]
