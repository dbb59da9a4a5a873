#include "adapters/social_care/notice_words.h"

#include "adapters/desk/inbox.h"
#include "adapters/desk/words.h"

namespace flagpost::social_care {

using schemas::SocialCareNoticeValue;

SocialCareNoticeValue notice_of(const client::Incoming& item) {
    return desk::payload_of<schemas::SocialCareNotice>(item);
}
schemas::ReviewItemValue review_of(const client::Incoming& item) {
    return desk::payload_of<schemas::ReviewItem>(item);
}
std::string name_of(const schemas::PersonValue& person) {
    const bool both = !person.given_names.empty() && !person.family_name.empty();
    return desk::printable(person.given_names + (both ? " " : "") + person.family_name);
}

std::string child_in_words(const SocialCareNoticeValue& notice) {
    if (!notice.child) return "Child not named";
    const schemas::PersonValue& child = *notice.child;
    if (notice.flag_kind == schemas::FlagKind::unborn_child_protection_plan && child.date_of_birth.empty())
        return "Unborn child, family " + name_of(child);
    return name_of(child) + " (born " + desk::date_in_words(child.date_of_birth) + ")";
}

const char* flag_in_words(schemas::FlagKind kind) {
    switch (kind) {
        case schemas::FlagKind::child_protection_plan:
            return "Child protection plan";
        case schemas::FlagKind::unborn_child_protection_plan:
            return "Child protection plan, unborn child";
        case schemas::FlagKind::looked_after:
            return "Looked-after child";
    }
    return "";
}

const char* hit_in_words(schemas::HitKind hit) {
    switch (hit) {
        case schemas::HitKind::person:
            return "The child was named.";
        case schemas::HitKind::address:
            return "Police went to an address of the child; the child was not named.";
        case schemas::HitKind::both:
            return "The child was named, and police went to an address of the child.";
        case schemas::HitKind::shell:
            return "The building agrees; which dwelling in it is not known.";
        case schemas::HitKind::historic:
            return "An earlier address of the child agrees.";
        case schemas::HitKind::linked_adult:
            return "An adult linked to the child was involved.";
    }
    return "";
}

std::string referral_in_words(const SocialCareNoticeValue& notice) {
    switch (notice.referral) {
        case schemas::ReferralStatus::made:
            return "made" + (notice.referral_reference.empty() ? std::string{}
                                                               : ", reference " + notice.referral_reference);
        case schemas::ReferralStatus::not_made:
            return "not made";
        case schemas::ReferralStatus::not_known:
            break;
    }
    return "not known";
}

std::string children_in_words(const SocialCareNoticeValue& notice) {
    return std::to_string(notice.children_named) + " named, " + std::to_string(notice.children_unidentified) +
           " not identified. This child was " + (notice.child_present ? "" : "not ") + "recorded as present.";
}

namespace {
std::string role_in_words(schemas::Role role) {
    const char* const name = schemas::EnumNameRole(role);
    return role == schemas::Role::other ? "role not given" : name;
}
}  // namespace

std::string adults_in_words(const SocialCareNoticeValue& notice) {
    std::string words;
    for (const auto& adult : notice.adults)
        words += (words.empty() ? "" : "; ") + (adult->relation.empty() ? "adult" : adult->relation) + " (" +
                 role_in_words(adult->role) + ")";
    return words;
}

std::string worker_in_words(const SocialCareNoticeValue& notice) {
    std::string words;
    const auto add = [&](const std::string& label, const std::string& text) {
        if (!text.empty()) words += (words.empty() ? "" : "; ") + label + text;
    };
    if (notice.worker) {
        add("", notice.worker->name);
        add("", notice.worker->contact);
    }
    add("team: ", notice.team);
    add("duty: ", notice.duty_contact);
    return words;
}

std::string risk_in_words(const SocialCareNoticeValue& notice) {
    if (!notice.risk) return {};
    return notice.risk->grade + ", by " + notice.risk->tool +
           (notice.risk->tool_version.empty() ? "" : " " + notice.risk->tool_version) +
           ", as police recorded it";
}

}  // namespace flagpost::social_care
