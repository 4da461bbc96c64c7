# SPDX-License-Identifier: MPL-2.0
"""Bulk runs: one operation on many instances, carried out a portion at a time."""


import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('engine', '0002_postgresql'),
    ]

    operations = [
        migrations.CreateModel(
            name='BulkRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('act', models.TextField()),
                ('reason', models.TextField(blank=True)),
                ('started_by', models.CharField(max_length=150)),
                ('started_at', models.DateTimeField()),
                ('total', models.PositiveIntegerField()),
                ('undone', models.PositiveIntegerField()),
                ('failed', models.PositiveIntegerField(default=0)),
                ('done_at', models.DateTimeField(null=True)),
                ('stopped_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'kørsel',
                'verbose_name_plural': 'kørsler',
                'indexes': [models.Index(condition=models.Q(('done_at__isnull', True), ('stopped_at__isnull', True)), fields=['id'], name='engine_bulk_pending')],
            },
        ),
        migrations.CreateModel(
            name='BulkItem',
            fields=[
                ('pk', models.CompositePrimaryKey('run', 'instance_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('instance_id', models.BigIntegerField()),
                ('state', models.CharField(choices=[('waiting', 'Venter'), ('done', 'Udført'), ('refused', 'Afvist')], default='waiting', max_length=7)),
                ('code', models.CharField(blank=True, max_length=50)),
                ('fault', models.TextField(blank=True)),
                ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='engine.bulkrun')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['run', 'instance_id'], name='engine_bulk_waiting')],
            },
        ),
    ]
