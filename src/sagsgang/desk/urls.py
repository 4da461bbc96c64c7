# SPDX-License-Identifier: MPL-2.0
"""Addresses of the desk."""

from __future__ import annotations

from django.urls import path

from sagsgang.desk.views import (
    acts,
    case,
    inbox,
    listing,
    operations,
    operations_instance,
    operations_migration,
    operations_run,
)

app_name = "desk"

urlpatterns = [
    path("", inbox.inbox, name="inbox"),
    path("soeg/", listing.search, name="search"),
    path("flere/", inbox.many, name="many"),
    path("opgaver/<int:task>/tag/", acts.claim, name="claim"),
    path("opgaver/<int:task>/giv-tilbage/", acts.release, name="release"),
    path("opgaver/<int:task>/tildel/", acts.assign, name="assign"),
    path("sager/", listing.cases, name="cases"),
    path("sager/<str:number>/", case.case, name="case"),
    path("sager/<str:number>/loes/<int:task>/", case.complete, name="complete"),
    path("sager/<str:number>/notat/", acts.note, name="note"),
    path("sager/<str:number>/cpr/", case.reveal, name="reveal"),
    path("sager/<str:number>/forloeb.bpmn", case.diagram, name="diagram"),
    path("drift/", operations.home, name="operations"),
    path("drift/styr/", operations.govern, name="operations-govern"),
    path("drift/instanser/", operations.instances, name="operations-instances"),
    path("drift/instanser/flere/", operations.many, name="operations-many"),
    path(
        "drift/instanser/<int:instance>/", operations_instance.instance, name="operations-instance"
    ),
    path("drift/instanser/<int:instance>/goer/", operations_instance.act, name="operations-act"),
    path(
        "drift/instanser/<int:instance>/vis/", operations_instance.reveal, name="operations-reveal"
    ),
    path(
        "drift/instanser/<int:instance>/forloeb.bpmn",
        operations_instance.diagram,
        name="operations-diagram",
    ),
    path("drift/koersler/<int:run>/", operations_run.run, name="operations-run"),
    path("drift/koersler/<int:run>/videre/", operations_run.advance, name="operations-advance"),
    path("drift/koersler/<int:run>/stop/", operations_run.stop, name="operations-stop"),
    path("drift/koersler/<int:run>/igen/", operations_run.again, name="operations-again"),
    path("drift/koersler/<int:run>/tilbage/", operations_run.undo, name="operations-undo"),
    path("drift/flyt/", operations_migration.migrate, name="operations-migrate"),
    path(
        "drift/processer/<str:process>/<int:version>.bpmn",
        operations_migration.definition,
        name="operations-definition",
    ),
    path("sager/<str:number>/dokumenter/<uuid:document>/", acts.document, name="document"),
]
