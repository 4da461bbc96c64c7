# SPDX-License-Identifier: MPL-2.0
"""A start event may have several triggers. Only loosens: the code of before goes on with it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('engine', '0004_queues'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='startsubscription',
            name='engine_start_element',
        ),
        migrations.AddConstraint(
            model_name='startsubscription',
            constraint=models.UniqueConstraint(fields=('definition', 'element', 'kind', 'name'), name='engine_start_trigger'),
        ),
    ]
