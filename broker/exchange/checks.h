/// Whether what a publisher sent makes sense: bounds, dates, texts, references. Structure is checked before.
#pragma once

#include "broker/core/clock.h"
#include "broker/core/result.h"
#include "flag_generated.h"
#include "incident_generated.h"
#include "load_generated.h"
#include "notice_generated.h"
#include "order_generated.h"
#include "school_generated.h"
#include "staff_generated.h"

namespace flagpost::exchange {

inline constexpr std::size_t review_note_size_max = 800;       // bytes
inline constexpr std::uint64_t no_record = ~std::uint64_t{0};  // RecordOrder.record, absent

/// "YYYY-MM-DD", a day that exists.
bool is_date(std::string_view text);
/// Likewise, with "00" for an unknown month or day and "0000" for an unknown year.
bool is_partial_date(std::string_view text);
/// Small letters, digits and '_', at most 64.
bool is_code(std::string_view text);
/// UTF-8 without control characters other than tab and line ends, not longer than `size_max`.
bool is_text(std::string_view text, std::size_t size_max);

// Each refusal names the field. `force`, `la` and `urn` are what the topic says they must be.
Result<void> check(const schemas::Incident& incident, std::string_view force);
Result<void> check(const schemas::Receipt& receipt);
Result<void> check(const schemas::ReviewDecision& decision);
Result<void> check(const schemas::StaffChange& change);
/// As they are published.
Result<void> check(const schemas::Question& question);
Result<void> check(const schemas::QuestionAnswer& answer);
Result<void> check(const schemas::OperatorAction& action);
Result<void> check(const schemas::RecordOrder& order);
Result<void> check(const schemas::LoadBegin& begin);
Result<void> check(const schemas::LoadPart& part);
Result<void> check(const schemas::LoadCommit& commit);

Result<void> check(const schemas::FlagValue& flag, std::string_view la);
/// `la`: on whose register of children not in school; empty: on a school's roll.
Result<void> check(const schemas::PupilValue& pupil, std::optional<std::uint32_t> urn, std::string_view la);
Result<void> check(const schemas::SchoolValue& school);
Result<void> check(const schemas::SchoolLinkValue& link);
Result<void> check(const schemas::SchoolContactValue& contact, std::optional<std::uint32_t> urn);
Result<void> check(const schemas::BankHolidayValue& holiday);
Result<void> check(const schemas::TermPeriodValue& term, std::optional<std::uint32_t> urn);

}  // namespace flagpost::exchange
