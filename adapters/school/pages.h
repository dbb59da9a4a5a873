/// The pages of a school, a trust of many or an education safeguarding team: inbox, notice, what was recorded.
#pragma once

#include "adapters/web/open_notices.h"
#include "adapters/web/work.h"
#include "notice_generated.h"

namespace flagpost::school {

/// dsl and deputy: the notices of their schools. lead, of a trust: those of the schools given to them, to see that somebody
/// acts; of an education safeguarding team: every notice the team gets. admin sees no notice.
const std::set<std::string>& roles();

/// Those that are called otherwise than they are written.
const std::map<std::string, std::string>& role_words();

/// A notice, and who has it: the name of the person it was taken by or passed to, or "".
struct Notice {
    client::Incoming item;
    std::shared_ptr<const schemas::SchoolNoticeValue> value;  // never null
    std::string holder;
    std::set<std::string> contacts{};      // of the school, by name, as it handed them over
    std::vector<std::string> kept_from{};  // who must not see it: the conflict list of its case
};

/// The URNs of the schools whose notices the person sees; nothing: every school the agency is told about.
std::optional<std::set<std::string>> schools_of(const web::Person& person, const AgencyId& agency);
bool may_see(const web::Person& person, const AgencyId& agency, const Notice& notice);
/// One of those it was sent to: their opening stops the clock. A trust's lead is one only as a contact of that school, or
/// where it was passed to them.
bool is_intended(const web::Person& person, const AgencyId& agency, const Notice& notice);

/// A notice read in time is late no more: what is left is to record.
web::Group group_of(const Notice& notice, Instant now);

class Pages {
public:
    /// Everything named lives as long as this.
    Pages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal,
          web::People& people, AgencyId agency);
    /// References of the open notices that are the person's own: taken, passed to them, or addressed to them while nobody has it.
    std::vector<std::string> open_of(const web::Person& person);

private:
    web::Response inbox(const web::Visit& visit);
    web::Response done(const web::Visit& visit);
    web::Response notice(const web::Visit& visit, bool printing);
    web::Response record(const web::Visit& visit);
    web::Response take(const web::Visit& visit);
    web::Response ask_colleague(const web::Visit& visit, const std::string& error);
    web::Response pass(const web::Visit& visit);
    web::Response ask_why_not(const web::Visit& visit, const std::string& error);
    web::Response not_on_roll(const web::Visit& visit);
    web::Response change(const web::Visit& visit, bool posted);
    web::Response contacts(const web::Visit& visit);
    web::Response confirm(const web::Visit& visit);

    std::vector<std::uint32_t> schools_with_contacts(const web::Person& person) const;
    bool sees_several(const web::Person& person) const;
    web::InboxKind kind_of(const web::Person& person, const std::vector<const Notice*>& notices) const;
    /// Without the contacts of its school, as those of open_ones.
    Notice notice_from(client::Incoming item, const web::Beside& known) const;
    using Open = web::OpenNotices<Notice, schemas::SchoolNotice>;
    /// Those this person may see; the most urgent first.
    Open::Some open_ones(const web::Person& person);
    /// With the contacts of its school, where one of them may be a lead of the trust; whoever asks.
    std::optional<Notice> stored(const std::string& reference);
    std::optional<Notice> find(const web::Person& person, const std::string& reference);
    /// A recall by its own reference, or the one that took the notice of this reference back.
    std::optional<client::Incoming> find_recall(const web::Person& person, const std::string& reference);
    /// As of the notice it takes back: whoever is on the conflict list of the case sees neither.
    bool may_see_recall(const web::Person& person, const client::Incoming& recall);
    bool may_act_on_recall(const web::Person& person, const client::Incoming& recall);
    /// What a recall takes back, as far as it came here.
    std::optional<Notice> taken_back_by(const client::Incoming& recall);
    web::Response show_recall(const web::Visit& visit, client::Incoming recall, const std::string& error);
    /// One that the person may act on.
    std::optional<Notice> open_to(const web::Visit& visit);
    /// The notice of an earlier version of the same incident about the same child.
    std::optional<Notice> before(const Notice& notice);
    web::InboxRow row(const web::Visit& visit, const Notice& notice);
    web::Response show(const web::Visit& visit, const Notice& notice, bool printing,
                       const std::string& error);
    /// Whoever else at the school may act on it.
    std::vector<web::Person> colleagues(const web::Person& person, const Notice& notice);

    web::Site& site_;
    web::Reader& reader_;
    web::Handover& handover_;
    web::Journal& journal_;
    web::People& people_;
    web::Work work_;
    AgencyId agency_;
    Open open_;
};

}  // namespace flagpost::school
