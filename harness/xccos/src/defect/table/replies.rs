//! Names of replies (2.2.2.2.4) and replies that never come.

use super::*;

macro_rules! misnamed {
    ($($id:literal $requirement:literal $reply:literal $name:literal;)*) => {
        &[$(d(
            concat!("server/", $id, "-misnamed"),
            concat!("XCCOSIP-2.2.2.2.4-", $requirement),
            concat!("cmd:", $id, " is answered by ", $name),
            How::Edit(&[e($reply, Change::Set("id", $name))]),
        ).also(&["XCCOSIP-2.2.2.2.4-07"])),*]
    };
}

/// Every reply under another reply's name.
pub(super) const TABLE: &[Defect] = misnamed! {
    "bjoin" "08" "rpl:bjoin" "rpl:join";
    "bccontext" "09" "rpl:bccontext" "rpl:bc";
    "bcbydate" "10" "rpl:bc" "rpl:bccontext";
    "cateffquery" "11" "rpl:cateffquery" "rpl:chaneffquery";
    "chancreate" "12" "rpl:chancreate" "rpl:updatenode";
    "chaneffquery" "13" "rpl:chaneffquery" "rpl:chaninfo";
    "chansrch" "14" "rpl:chansrch" "rpl:usrsrch";
    "chanmodify" "15" "rpl:chanmodify" "rpl:updatenode";
    "usrsrch" "16" "rpl:usrsrch" "rpl:chansrch";
    "qeulmem" "17" "rpl:qeulmem" "rpl:qeulmgr";
    "getassociations" "18" "rpl:getassociations" "rpl:chansrch";
    "nodespermcreatechild" "19" "rpl:nodespermcreatechild" "rpl:cateffquery";
    "qeulmgr" "20" "rpl:qeulmgr" "rpl:qeulmem";
    "getpl" "21" "rpl:getpl" "rpl:join";
    "getpref" "22" "rpl:getpref" "rpl:setpref";
    "getscoped" "23" "rpl:getscoped" "rpl:getscopedvoice";
    "getscopedvoice" "24" "rpl:getscopedvoice" "rpl:getscoped";
    "getdetails" "25" "rpl:getdetails" "rpl:usrsrch";
    "getuserchannels" "26" "rpl:getuserchannels" "rpl:chansrch";
    "getfutok" "27" "rpl:getftok" "rpl:getpref";
    "qeulvoiced" "28" "rpl:qeulvoiced" "rpl:qeulmem";
    "join" "29" "rpl:join" "rpl:bjoin";
    "chaninfo" "30" "rpl:chaninfo" "rpl:chaneffquery";
    "sacemgr" "31" "rpl:sacemgr" "rpl:sacemem";
    "sacemem" "32" "rpl:sacemem" "rpl:sacemgr";
    "sacevoiced" "33" "rpl:sacevoiced" "rpl:sacemem";
    "part" "34" "rpl:part" "rpl:join";
    "setpref" "35" "rpl:setpref" "rpl:getpref";
    "getserverinfo" "36" "rpl:getserverinfo" "rpl:getdetails";
    "getinv" "37" "rpl:getinv" "rpl:getassociations";
    "updatenode" "38" "rpl:updatenode" "rpl:chanmodify";
    "getroomperms" "39" "rpl:getroomperms" "rpl:chaninfo";
};
