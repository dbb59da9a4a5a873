/// A social care notice's parts in plain words, for screens and pages.
#pragma once

#include <string>

#include "adapters/client/box.h"

namespace flagpost::social_care {

/// Throws std::runtime_error if it cannot be read.
schemas::SocialCareNoticeValue notice_of(const client::Incoming& item);
schemas::ReviewItemValue review_of(const client::Incoming& item);

std::string name_of(const schemas::PersonValue& person);
/// "Ava Example (born 4 March 2019)"; a child without given names and date of birth is not born yet.
std::string child_in_words(const schemas::SocialCareNoticeValue& notice);
const char* flag_in_words(schemas::FlagKind kind);
const char* hit_in_words(schemas::HitKind hit);
/// "made, reference R9", "not made" or "not known".
std::string referral_in_words(const schemas::SocialCareNoticeValue& notice);
std::string children_in_words(const schemas::SocialCareNoticeValue& notice);
std::string adults_in_words(const schemas::SocialCareNoticeValue& notice);
std::string worker_in_words(const schemas::SocialCareNoticeValue& notice);
/// Whom a match is about to be sent to: "Oak Primary (URN 900001)", "Norham education team"; where it comes without a name
/// "School URN 900001", "Education team of E10000024".
std::string recipient_in_words(const schemas::ReviewItemValue& review);
/// "Norham Police"; without a name "force 31".
std::string force_in_words(const schemas::ReviewItemValue& review);
/// What the recipient is told: "the child's first names, when it happened".
std::string told_in_words(const schemas::ReviewItemValue& review);
/// Whose record the match was compared with: "School roll says".
std::string record_in_words(const schemas::ReviewItemValue& review);
/// Thousandths of a bit as points with a sign: "+7.7".
std::string points_in_words(std::int64_t thousandths);
/// What all comparisons amount to, and what the system went by: it is less than their sum where somebody else fits too.
std::string score_in_words(const schemas::ReviewItemValue& review);
/// A compared detail as people write it: dates in words, what is missing as "Not given".
std::string detail_in_words(const std::string& detail);
/// The police's own grade with the tool that gave it; empty if there is none.
std::string risk_in_words(const schemas::SocialCareNoticeValue& notice);

}  // namespace flagpost::social_care
