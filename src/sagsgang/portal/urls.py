# SPDX-License-Identifier: MPL-2.0
"""Addresses of the portal."""

from __future__ import annotations

from django.urls import path

from sagsgang.portal.views import cases, front, ordering, tasks, uploads

app_name = "portal"

urlpatterns = [
    path("", front.front, name="front"),
    path("bestil/<slug:solution>/", front.service, name="service"),
    path("bestil/<slug:solution>/udfyld/", ordering.order, name="order"),
    path("bestil/<slug:solution>/fil/", uploads.upload, name="upload"),
    path("bestil/<slug:solution>/fil/<uuid:upload>/", uploads.check, name="check-upload"),
    path(
        "bestil/<slug:solution>/fil/<uuid:upload>/rapport.csv",
        uploads.dry_report,
        name="upload-report",
    ),
    path("indsendelser/<uuid:submission>/", uploads.receipt, name="submission"),
    path("indsendelser/<uuid:submission>/rapport.csv", uploads.report, name="submission-report"),
    path("kvittering/<str:number>/", ordering.receipt, name="receipt"),
    path("sager/", cases.listing, name="cases"),
    path("sager/<str:number>/", cases.case, name="case"),
    path("godkend/", tasks.approvals, name="approvals"),
    path("godkend/<int:task>/", tasks.approval, name="approval"),
    path("svar/<int:task>/", tasks.answer, name="answer"),
]
