# SPDX-License-Identifier: MPL-2.0
"""Addresses of the desk."""

from __future__ import annotations

from django.urls import path

from sagsgang.desk.views import acts, case, inbox, listing

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
    path("sager/<str:number>/dokumenter/<uuid:document>/", acts.document, name="document"),
]
