//! Replies of the size and shape that a chat server sends.

use std::fmt::Write as _;

/// A reply to a bjoin of `rooms` rooms: rooms with their settings and active users, then the users.
pub fn bjoin_reply(rooms: usize) -> String {
    let mut out = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n",
        "<xccos ver=\"1\" envid=\"6698664786341494\" xmlns=\"urn:parlano:xml:ns:xccos\">\n",
        "  <rpl id=\"rpl:bjoin\" seqid=\"1\">\n",
        "    <commandid seqid=\"1\" envid=\"6698664786341494\"/>\n",
        "    <resp code=\"200\">SUCCESS_OK</resp>\n",
        "    <data>\n",
    ));
    for room in 0..rooms {
        let _ = write!(
            out,
            concat!(
                "      <chanib name=\"Room {room}\" description=\"Planning of item {room} and what follows from it\" ",
                "parent=\"ma-cat://example.com/2642ebba-f56a-4891-9b92-{room:012}\" ",
                "uri=\"ma-chan://example.com/93489432-b6be-4c67-932f-{room:012}\" behavior=\"NORMAL\" ",
                "topic=\"\" disabled=\"false\" filerepository=\"http://files.example.com/mgcwebservice.asmx\">\n",
                "        <aib key=\"11652\" value=\"0,1,2\" domain=\"example.com\"/>\n",
                "        <audit updatedby=\"sip:alice@example.com\" updatedon=\"2026-04-06T19:23:28.8842419Z\" ",
                "createdby=\"sip:alice@example.com\" createdon=\"2026-04-06T19:23:28.8842419Z\"/>\n",
                "        <info id=\"urn:parlano:ma:info:filestoreuri\">http://files.example.com/{room}</info>\n",
                "        <info id=\"urn:parlano:ma:info:ucnt\">3</info>\n",
                "        <info id=\"urn:parlano:ma:info:visibility\">SCOPED</info>\n",
                "        <prop id=\"urn:parlano:ma:prop:logged\">True</prop>\n",
                "        <prop id=\"urn:parlano:ma:prop:invite\">True</prop>\n",
                "        <prop id=\"urn:parlano:ma:prop:filepost\">True</prop>\n",
                "      </chanib>\n",
            ),
            room = room
        );
    }
    for user in 0..rooms {
        let _ = write!(
            out,
            concat!(
                "      <uib uri=\"sip:user{user}@example.com\" guid=\"93109AFC-D91D-45A1-96F4-{user:012}\" ",
                "type=\"5\" uname=\"User {user}\" disabled=\"false\" dispname=\"User Number {user}\" id=\"{user}\">\n",
                "        <perms inherited=\"1\" inheriting=\"true\"/>\n",
                "      </uib>\n",
            ),
            user = user
        );
    }
    out.push_str("    </data>\n  </rpl>\n</xccos>\n");
    out
}
