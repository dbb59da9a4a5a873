/// The pages of children's social care: inbox, notice, what was done (pages, sections 2.1 and 2.2).
#pragma once

#include <mutex>

#include "adapters/social_care/notice_words.h"
#include "adapters/social_care/review_pages.h"
#include "adapters/web/open_notices.h"
#include "adapters/web/work.h"

namespace flagpost::social_care {

/// worker: own and team; duty: everything, as the duty box gets every notice; manager: their teams, or all where they have
/// none. reviewer: the matches a person must look at, and no notice. feeder: the list of flags; admin: who may
/// sign in; both see neither.
const std::set<std::string>& roles();

struct PageSettings {
    std::uint32_t flag_list_hours_max = 24;  // older ones are said
    std::uint32_t historic_months = 12;
};

/// A notice, and who has it: the name of the person it was taken by or passed to, or "".
struct Notice {
    client::Incoming item;
    std::shared_ptr<const schemas::SocialCareNoticeValue> value;  // never null
    std::string holder;
    std::vector<std::string> kept_from{};  // who must not see it: the conflict list of its case
};

bool may_see(const web::Person& person, const Notice& notice);
/// One of those it was sent to: their opening stops the clock. A manager becomes one by taking it.
bool is_intended(const web::Person& person, const Notice& notice);

web::Group group_of(const Notice& notice, bool corrects, Instant now);

class Pages {
public:
    /// Everything named lives as long as this.
    Pages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal,
          web::People& people, const PageSettings& settings);

    /// References of the open notices that are this person's own: allocated to them, taken by them or passed to them.
    std::vector<std::string> open_of(const web::Person& person);

private:
    web::Response inbox(const web::Visit& visit);
    web::Response done(const web::Visit& visit);
    web::Response notice(const web::Visit& visit, bool printing);
    web::Response record(const web::Visit& visit);
    web::Response change(const web::Visit& visit, bool posted);
    web::Response take(const web::Visit& visit);
    web::Response ask_colleague(const web::Visit& visit, const std::string& error);
    web::Response pass(const web::Visit& visit);
    web::Response ask_why_not(const web::Visit& visit, const std::string& error);
    web::Response dispute(const web::Visit& visit);
    /// The page that asks police; with an error, and the id of the field it is about, it was posted and is not sent.
    web::Response ask_police(const web::Visit& visit, const std::string& error_at, const std::string& error);
    web::Response send_question(const web::Visit& visit);
    web::Response show_recall(const web::Visit& visit, client::Incoming recall, const std::string& error);

    /// What was asked about a notice and answered; only what was answered after a recall, where there was one.
    std::vector<web::View> questions(const web::Visit& visit, const client::Incoming& notice,
                                     std::optional<Instant> answered_after);
    /// Answers that were not opened yet, on the inbox.
    std::vector<web::InboxRow> answer_rows(const web::Visit& visit, const std::string& show);
    /// Marks them opened by this person. False: it was not done in time.
    bool open_answers(const web::Visit& visit, const client::Incoming& notice);
    std::optional<client::Incoming> asked_about(const client::Incoming& answer);

    using Open = web::OpenNotices<Notice, schemas::SocialCareNotice>;
    /// Those this person may see; the most urgent first.
    Open::Some open_ones(const web::Person& person);
    std::optional<Notice> find(const web::Person& person, const std::string& reference);
    /// A recall by its own reference, or the one that took the notice of this reference back.
    std::optional<client::Incoming> find_recall(const web::Person& person, const std::string& reference);
    bool may_see_recall(const web::Person& person, const client::Incoming& recall);
    /// The notice of an earlier version of the same incident about the same child.
    std::optional<Notice> before(const Notice& notice);
    Notice notice_from(client::Incoming item, const web::Beside& known) const;

    web::InboxRow row(const web::Visit& visit, const Notice& notice, bool corrects);
    web::Response show(const web::Visit& visit, const Notice& notice, bool printing,
                       const std::string& error);
    std::vector<web::Person> colleagues(const web::Person& person, const Notice& notice);
    /// False: it was not done in time.
    bool mark_opened(const web::Visit& visit, Notice& notice);

    web::Site& site_;
    web::Reader& reader_;
    web::Handover& handover_;
    web::Journal& journal_;
    web::People& people_;
    web::Work work_;
    ReviewPages reviews_;
    PageSettings settings_;
    Open open_;
};

}  // namespace flagpost::social_care
