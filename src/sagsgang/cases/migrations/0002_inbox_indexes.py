# SPDX-License-Identifier: MPL-2.0
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0001_initial'),
        ('organisation', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('kind', 'caseworker'), ('status', 'open')), fields=['due', 'id'], name='inbox_by_due'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('kind', 'caseworker'), ('status', 'open')), fields=['id'], name='inbox_by_age'),
        ),
    ]
