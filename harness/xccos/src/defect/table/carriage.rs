//! How SIP carries the payloads (1.4, 2.1, RFC 3261).

use super::*;

const fn sip(
    id: &'static str,
    requirement: &'static str,
    title: &'static str,
    carriage: Carriage,
) -> Defect {
    d(id, requirement, title, How::Carriage(carriage))
}

#[rustfmt::skip]
pub(super) const TABLE: &[Defect] = &[
    sip("server/info-outside-dialog", "XCCOSIP-1.4-01", "payloads travel outside the dialog that was established", Carriage::OutsideDialog).also(&["XCCOSIP-1.4-03", "XCCOSIP-2.1-01", "SIP"]),
    sip("server/payload-in-message", "XCCOSIP-1.4-01", "payloads travel in MESSAGE instead of INFO", Carriage::Method("MESSAGE")).also(&["XCCOSIP-2.1-01", "SIP"]),
    sip("server/reply-in-answer", "XCCOSIP-1.4-02", "the reply is the body of the 200 to the INFO, and no INFO follows", Carriage::ReplyInAnswer).also(&["SIP"]),
    sip("server/info-answered-202", "SIP", "INFO is answered with 202", Carriage::AnswersInfo(202)).also(&["XCCOSIP-1.4-02"]),
    sip("server/info-answered-500", "SIP", "every INFO is answered with 500 and processed all the same", Carriage::AnswersInfo(500)).also(&["XCCOSIP-1.4-02"]),
    sip("server/info-unanswered", "SIP", "INFO is never answered", Carriage::SilentOnInfo).also(&["XCCOSIP-1.4-02", "XCCOSIP-2.1-01"]),
    sip("server/info-wrong-tag", "SIP", "INFO carries a To tag that is not the client's", Carriage::WrongTag).also(&["XCCOSIP-1.4-01", "XCCOSIP-1.4-03"]),
    sip("server/cseq-frozen", "SIP", "the CSeq number of a dialog's requests never grows", Carriage::FrozenCSeq).also(&["XCCOSIP-2.1-01"]),
    sip("server/cseq-falling", "SIP", "the CSeq number of a dialog's requests falls", Carriage::FallingCSeq).also(&["XCCOSIP-2.1-01"]),
    sip("server/bye-unanswered", "SIP", "BYE is never answered", Carriage::SilentOnBye),
    sip("server/invite-without-tag", "SIP", "the 200 to INVITE has no To tag", Carriage::NoToTag).also(&["XCCOSIP-2.1-01"]),
    sip("server/invite-without-contact", "SIP", "the 200 to INVITE has no Contact", Carriage::NoContact).also(&["XCCOSIP-2.1-01"]),
    sip("server/answer-foreign-call-id", "SIP", "answers carry another Call-ID than the request", Carriage::ForeignCallId).also(&["XCCOSIP-2.1-01"]),
    sip("server/answer-without-via", "SIP", "answers do not return the Via of the request", Carriage::NoVia).also(&["XCCOSIP-2.1-01"]),
    sip("server/answer-foreign-cseq", "SIP", "answers carry another CSeq than the request", Carriage::ForeignCSeq).also(&["XCCOSIP-2.1-01"]),
    sip("server/no-content-length", "SIP", "messages on a stream have no Content-Length", Carriage::NoContentLength),
    sip("server/info-after-bye", "XCCOSIP-1.4-01", "an INFO follows the end of the dialog", Carriage::InfoAfterBye).also(&["XCCOSIP-1.4-03", "SIP"]),
    sip("server/any-method-200", "SIP", "a method nobody knows is answered with 200", Carriage::TakesAnyMethod).also(&["XCCOSIP-2.1-01"]),
];
