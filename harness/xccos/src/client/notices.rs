/*! What the client does with notices: 3.1.15.5.

Takes a notice; changes participant lists and room properties. A notice outside
the eight of the section is dropped, and so is every block that names no room
the user is in.
*/

use super::faults::Fault;
use super::rooms::{room_info, same};
use super::{Client, DropStep, KEPT};
use crate::payload::{Element, Primitive};
use crate::time::Now;

impl Client {
    /// One notice.
    pub(super) fn notice(&mut self, now: Now, notice: &Primitive<'_>) {
        let Some(data) = notice.data() else { return };
        match notice.id() {
            "ntc:invite" => {
                for chanib in data.all("chanib") {
                    self.invitations.push_back(room_info(chanib));
                    if self.invitations.len() > KEPT {
                        self.invitations.pop_front();
                    }
                }
            }
            "ntc:join" => self.entered(data, false),
            "ntc:bjoin" => self.entered(data, true),
            "ntc:part" => self.went(data, false),
            "ntc:kick" => self.went(data, true),
            "ntc:quit" => self.quit(data),
            "ntc:chatmodify" => {
                for chanib in data.all("chanib") {
                    if let Some(room) = chanib.get("uri").and_then(|u| self.rooms.joined(u)) {
                        let (uri, active) = (room.uri.clone(), room.active);
                        self.recent(now, uri, active);
                    }
                }
            }
            "ntc:chanmodify" => {
                for chanib in data.all("chanib") {
                    if let Some(room) = chanib.get("uri").and_then(|u| self.rooms.joined(u)) {
                        room.update(chanib);
                    }
                }
            }
            other => {
                let detail = format!("{other} is not supported");
                self.drop(DropStep::WrongId, detail);
            }
        }
    }

    /// ntc:join names one room in a role block, ntc:bjoin a list; of a list the rooms that match count (XC-58).
    fn entered(&mut self, data: &Element, list: bool) {
        for uib in data.all("uib") {
            let Some(uri) = uib.get("uri") else { continue };
            for value in uib.all("aib").filter_map(|aib| aib.get("value")) {
                let guids: Vec<&str> = if list {
                    value.split(',').collect()
                } else {
                    vec![value]
                };
                for guid in guids {
                    if let Some(room) = self.rooms.joined_by_guid(guid) {
                        room.add(uri);
                    }
                }
            }
        }
    }

    /// ntc:part and ntc:kick; who is kicked himself is out (3.1.15.5).
    fn went(&mut self, data: &Element, kicked: bool) {
        for chanib in data.all("chanib") {
            let Some(room) = chanib.get("uri").and_then(|u| self.rooms.joined(u)) else {
                continue;
            };
            for uri in chanib.all("uib").filter_map(|uib| uib.get("uri")) {
                room.remove(uri);
                if kicked && same(uri, &self.config.user) {
                    let list = room.participants.clone();
                    room.leave();
                    if self.faults.has(Fault::KeepsList) {
                        room.participants = list;
                    }
                }
            }
        }
    }

    fn quit(&mut self, data: &Element) {
        let users: Vec<&str> = data.all("uib").filter_map(|uib| uib.get("uri")).collect();
        if data.first("chanib").is_none() {
            for room in self.rooms.all_joined() {
                users.iter().for_each(|uri| room.remove(uri));
            }
        }
        for chanib in data.all("chanib") {
            if let Some(room) = chanib.get("uri").and_then(|u| self.rooms.joined(u)) {
                users.iter().for_each(|uri| room.remove(uri));
            }
        }
    }
}
