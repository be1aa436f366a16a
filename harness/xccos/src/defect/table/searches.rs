//! Searches (2.2.2.1.11, 2.2.2.1.16, 2.2.2.1.18).

use super::*;

const fn filter(
    id: &'static str,
    requirement: &'static str,
    name: &'static str,
    title: &'static str,
) -> Defect {
    d(id, requirement, title, How::Slip(Slip::FilterIgnores(name)))
}

#[rustfmt::skip]
pub(super) const TABLE: &[Defect] = &[
    filter("server/filter-topic-ignored", "XCCOSIP-2.2.2.1.11.1-11", "includeTopic", "a room search never looks at descriptions"),
    filter("server/search-all-or-any-ignored", "XCCOSIP-2.2.2.1.16-07", "matchAll", "matchAll is not looked at").also(&["XCCOSIP-2.2.2.1.11.1-13", "XCCOSIP-2.2.2.1.11.1-12"]),
    filter("server/search-phrase-ignored", "XCCOSIP-2.2.2.1.16-08", "matchExactPhrase", "matchExactPhrase is not looked at").also(&["XCCOSIP-2.2.2.1.11.1-14", "XCCOSIP-2.2.2.1.16-07", "XCCOSIP-2.2.2.1.11.1-12", "XCCOSIP-2.2.2.1.11.1-13"]),
    filter("server/search-category-ignored", "XCCOSIP-2.2.2.1.16-16", "catUri", "catUri is not looked at").also(&["XCCOSIP-2.2.2.1.11.1-15"]),
    filter("server/filter-addin-ignored", "XCCOSIP-2.2.2.1.11.1-16", "addinGuid", "addinGuid is not looked at"),
    filter("server/filter-disabled-ignored", "XCCOSIP-2.2.2.1.11.1-17", "disabled", "disabled is not looked at"),
    filter("server/filter-visibility-ignored", "XCCOSIP-2.2.2.1.11.1-19", "vis", "vis is not looked at"),
    filter("server/filter-type-ignored", "XCCOSIP-2.2.2.1.11.1-21", "type", "type is not looked at"),
    filter("server/filter-invites-ignored", "XCCOSIP-2.2.2.1.11.1-25", "searchInvites", "invites is not looked at").also(&["XCCOSIP-2.2.2.1.11.1-23", "XCCOSIP-2.2.2.1.11.1-24"]),
    filter("server/filter-member-ignored", "XCCOSIP-2.2.2.1.11.2-02", "member", "member is not looked at"),
    filter("server/filter-manager-ignored", "XCCOSIP-2.2.2.1.11.2-04", "manager", "manager is not looked at"),
    d("server/filter-disabled-show", "XCCOSIP-2.2.2.1.11.1-18", "disabled rooms are found although nobody asked for them", How::Slip(Slip::DisabledRoomsShow)).also(&["XCCOSIP-2.2.2.1.11.1-17"]),
    d("server/search-extended-inverted", "XCCOSIP-2.2.2.1.16-06", "extended means its opposite", How::Slip(Slip::ExtendedInverted)),
    d("server/search-unlimited", "XCCOSIP-2.2.2.1.16-17", "maxResults is not looked at", How::Slip(Slip::MaxResultsIgnored)).also(&["XCCOSIP-2.2.2.1.11.1-26"]),
    d("server/search-limit-unheld", "XCCOSIP-2.2.2.1.10-23", "searches return more than searchLimit", How::Slip(Slip::SearchLimitExceeded)),
    d("server/private-rooms-show", "XCCOSIP-2.2.2.1.7.2.2-05", "private rooms are found and answered for", How::Slip(Slip::PrivateRoomsShow)).also(&["XCCOSIP-3.2.7.5-08", "XCCOSIP-3.2.7.5-09"]),
    d("server/content-and-is-or", "XCCOSIP-2.2.2.1.18-04", "AND finds what OR finds", How::Slip(Slip::SearchAndIsOr)),
    d("server/content-unlimited", "XCCOSIP-2.2.2.1.18.1-01", "the limit of a content search is not looked at", How::Slip(Slip::SearchIgnoresLimit)),
    d("server/content-whole-words", "XCCOSIP-2.2.2.1.18.2-06", "a content search finds whole words only", How::Slip(Slip::SearchWholeWords)).also(&["XCCOSIP-2.2.2.1.18.2-05"]),
    d("server/content-case-ignored", "XCCOSIP-2.2.2.1.18.4-03", "matchcase is not looked at", How::Slip(Slip::SearchIgnoresCase)),
    d("server/content-oldest-first", "XCCOSIP-2.2.2.1.18.6-03", "sortbkwds is not looked at", How::Slip(Slip::SearchOldestFirst)),
    d("server/content-dates-ignored", "XCCOSIP-2.2.2.1.18.7-01", "the date range of a content search is not looked at", How::Slip(Slip::SearchIgnoresDates)),
    d("server/content-authors-ignored", "XCCOSIP-2.2.2.1.18.8-01", "the authors of a content search are not looked at", How::Slip(Slip::SearchIgnoresAuthors)),
    d("server/content-rooms-ignored", "XCCOSIP-2.2.2.1.18.9-01", "the rooms of a content search are not looked at", How::Slip(Slip::SearchIgnoresRooms)),
];
