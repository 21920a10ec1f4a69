use std::time::Duration;

use super::{Advice, ErrorType, Facts, Judgement, Kind, Verdict, classify, deadline_is_evidence};

fn check(facts: Facts<'_>, judgement: Judgement, error_type: ErrorType) {
    let expected = Verdict { judgement, error_type: Some(error_type) };
    assert_eq!(classify(&facts), expected, "{facts:?}");
}

fn answer(status: u16, code: &str, advice: Advice) -> Facts<'_> {
    let code = (!code.is_empty()).then_some(code);
    Facts { kind: Kind::Service, status: Some(status), code, advice }
}

#[test]
fn an_output_is_a_success_without_a_label() {
    let verdict = classify(&Facts::of(Kind::Done));
    assert_eq!(verdict, Verdict { judgement: Judgement::Success, error_type: None });
}

#[test]
fn timeouts_are_failures() {
    check(Facts::of(Kind::Timeout), Judgement::Failure, ErrorType::Timeout);
}

#[test]
fn a_broken_connection_is_a_failure() {
    check(Facts::of(Kind::Dispatch), Judgement::Failure, ErrorType::Dispatch);
}

#[test]
fn the_callers_own_broken_stream_is_ignored() {
    check(Facts::of(Kind::Caller), Judgement::Ignored, ErrorType::Client);
}

#[test]
fn an_attempt_that_was_never_transmitted_is_ignored() {
    check(Facts::of(Kind::NotSent), Judgement::Ignored, ErrorType::Other);
    check(Facts::of(Kind::Other), Judgement::Ignored, ErrorType::Other);
}

#[test]
fn a_5xx_is_a_failure() {
    for status in [500, 502, 503, 504, 599] {
        check(answer(status, "", Advice::Transient), Judgement::Failure, ErrorType::Server);
        check(answer(status, "", Advice::None), Judgement::Failure, ErrorType::Server);
    }
}

#[test]
fn a_server_error_inside_a_200_is_a_failure() {
    for code in ["InternalError", "ServiceUnavailable"] {
        check(answer(200, code, Advice::Transient), Judgement::Failure, ErrorType::Server);
    }
}

#[test]
fn throttling_is_a_failure_whatever_the_status() {
    let rows = [
        (503, "SlowDown"),
        (200, "SlowDown"),
        (403, "RequestLimitExceeded"),
        (429, "TooManyRequests"),
        (400, "ThrottlingException"),
        (429, ""),
    ];
    for (status, code) in rows {
        check(answer(status, code, Advice::None), Judgement::Failure, ErrorType::Throttling);
    }
    check(answer(400, "Odd", Advice::Throttling), Judgement::Failure, ErrorType::Throttling);
}

#[test]
fn a_request_timeout_is_a_transient_failure() {
    let rows = [(400, "RequestTimeout"), (408, ""), (400, "RequestTimeoutException")];
    for (status, code) in rows {
        check(answer(status, code, Advice::Transient), Judgement::Failure, ErrorType::Transient);
    }
    check(answer(409, "Busy", Advice::Transient), Judgement::Failure, ErrorType::Transient);
}

#[test]
fn a_feature_that_the_service_lacks_is_an_answer() {
    check(answer(501, "NotImplemented", Advice::None), Judgement::Success, ErrorType::Client);
    check(answer(505, "", Advice::None), Judgement::Success, ErrorType::Client);
}

#[test]
fn a_missing_object_or_bucket_is_an_answer() {
    for code in ["NoSuchKey", "NoSuchBucket", "NotFound", ""] {
        check(answer(404, code, Advice::None), Judgement::Success, ErrorType::Client);
    }
}

#[test]
fn a_refused_credential_is_an_answer() {
    for code in ["AccessDenied", "SignatureDoesNotMatch", "ExpiredToken", "InvalidObjectState"] {
        check(answer(403, code, Advice::None), Judgement::Success, ErrorType::Client);
    }
    check(answer(401, "", Advice::None), Judgement::Success, ErrorType::Client);
}

#[test]
fn the_clients_own_wrong_clock_is_an_answer() {
    let facts = answer(403, "RequestTimeTooSkewed", Advice::Server);
    check(facts, Judgement::Success, ErrorType::Client);
}

#[test]
fn redirects_preconditions_and_other_refusals_are_answers() {
    for status in [301, 304, 307, 400, 409, 412, 416] {
        check(answer(status, "", Advice::None), Judgement::Success, ErrorType::Client);
    }
    check(answer(200, "NoSuchUpload", Advice::None), Judgement::Success, ErrorType::Client);
}

#[test]
fn a_2xx_that_is_no_answer_of_the_service_is_a_failure() {
    check(answer(200, "", Advice::None), Judgement::Failure, ErrorType::Response);
    check(Facts::of(Kind::Response), Judgement::Failure, ErrorType::Response);
}

#[test]
fn labels_are_the_closed_set_in_order() {
    for (index, error_type) in ErrorType::ALL.into_iter().enumerate() {
        assert_eq!(error_type.index(), index);
        assert_eq!(ErrorType::LABELS[index], error_type.as_str());
    }
}

#[test]
fn a_deadline_counts_from_half_of_the_attempts_own_on() {
    let own = Some(Duration::from_millis(200));
    assert!(!deadline_is_evidence(Duration::from_millis(99), own));
    assert!(deadline_is_evidence(Duration::from_millis(100), own));
    assert!(deadline_is_evidence(Duration::ZERO, None));
}
