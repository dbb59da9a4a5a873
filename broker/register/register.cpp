#include "broker/register/register.h"

#include <deque>

#include "broker/core/ids.h"
#include "broker/register/person_index.h"

namespace flagpost::registry {
namespace {

/// Replaces what `key` held, and returns the entry: its address stays the same as long as the key does.
template <class Map, class Value> auto& put(Map& map, typename Map::key_type key, Value&& value) {
    return *map.insert_or_assign(std::move(key), std::forward<Value>(value)).first;
}

constexpr std::size_t succession_max = 64;  // schools along one chain of successors

}  // namespace

FlagKey key_of(const schemas::FlagValue& flag) { return {flag.la, flag.la_child_id}; }

PupilKey key_of(const schemas::PupilValue& pupil) {
    const std::string whose = pupil.urn == 0 ? pupil.la + "/" : std::string{};
    if (!pupil.child) return {pupil.urn, whose};
    const auto& child = *pupil.child;
    if (valid_upn(child.upn)) return {pupil.urn, whose + child.upn};
    return {pupil.urn, whose + child.family_name + "|" + child.given_names + "|" + child.date_of_birth};
}

LinkKey key_of(const schemas::SchoolLinkValue& link) { return {link.urn, link.link_urn, link.link_type}; }
ContactKey key_of(const schemas::SchoolContactValue& contact) { return {contact.urn, contact.name}; }
TermKey key_of(const schemas::TermPeriodValue& term) {
    return {term.la, term.urn, term.first_day, term.closed};
}
HolidayKey key_of(const schemas::BankHolidayValue& holiday) { return {holiday.division, holiday.date}; }

std::string text(const FlagKey& key) { return "flag/" + key.la + "/" + key.la_child_id; }
std::string text(const PupilKey& key) { return "pupil/" + std::to_string(key.urn) + "/" + key.key; }

Register::Register() : index_{std::make_unique<PersonIndex>()} {}
Register::~Register() = default;
Register::Register(Register&&) noexcept = default;
Register& Register::operator=(Register&&) noexcept = default;

void Register::set_flag(schemas::FlagValue flag, Instant received) {
    auto key = key_of(flag);
    if (const auto old = flags_.find(key); old != flags_.end()) index_->remove_flag(old->first);
    const auto& [held_key, held] = put(flags_, std::move(key), HeldFlag{std::move(flag), received});
    index_->add_flag(held_key, held);
}

void Register::remove_flag(const FlagKey& key) {
    const auto found = flags_.find(key);
    if (found == flags_.end()) return;
    index_->remove_flag(found->first);
    flags_.erase(found);
}

void Register::set_feed(const std::string& la, Instant at) { feeds_[la] = at; }

void Register::set_pupil(schemas::PupilValue pupil, Instant received, std::string source) {
    auto key = key_of(pupil);
    if (const auto old = pupils_.find(key); old != pupils_.end()) {
        --rolls_[old->second.source].pupils;
        index_->remove_pupil(old->first);
    }
    ++rolls_[source].pupils;
    const auto& [held_key, held] =
        put(pupils_, std::move(key), HeldPupil{std::move(pupil), received, std::move(source)});
    index_->add_pupil(held_key, held);
}

void Register::remove_pupil(const PupilKey& key) {
    const auto found = pupils_.find(key);
    if (found == pupils_.end()) return;
    --rolls_[found->second.source].pupils;
    index_->remove_pupil(found->first);
    pupils_.erase(found);
}

void Register::set_roll(const std::string& source, Instant at) { rolls_[source].confirmed = at; }

void Register::set_school(schemas::SchoolValue school) { put(schools_, school.urn, std::move(school)); }
void Register::remove_school(std::uint32_t urn) { schools_.erase(urn); }
void Register::set_link(schemas::SchoolLinkValue link) {
    auto key = key_of(link);
    put(links_, std::move(key), std::move(link));
}
void Register::remove_link(const LinkKey& key) { links_.erase(LinkKey{key}); }
void Register::set_contact(schemas::SchoolContactValue contact) {
    auto key = key_of(contact);
    put(contacts_, std::move(key), std::move(contact));
}
void Register::remove_contact(const ContactKey& key) { contacts_.erase(ContactKey{key}); }
void Register::set_bank_holiday(schemas::BankHolidayValue holiday) {
    auto key = key_of(holiday);
    put(bank_holidays_, std::move(key), std::move(holiday));
}
void Register::remove_bank_holiday(const HolidayKey& key) { bank_holidays_.erase(HolidayKey{key}); }
void Register::set_term(schemas::TermPeriodValue term) {
    auto key = key_of(term);
    put(terms_, std::move(key), std::move(term));
}
void Register::remove_term(const TermKey& key) { terms_.erase(TermKey{key}); }

std::vector<FlagKey> Register::flags_of(std::string_view la) const {
    std::vector<FlagKey> keys;
    for (auto at = flags_.lower_bound({std::string{la}, {}}); at != flags_.end() && at->first.la == la;
         ++at) {
        keys.push_back(at->first);
    }
    return keys;
}

std::vector<PupilKey> Register::pupils_from(std::string_view source) const {
    std::vector<PupilKey> keys;
    for (const auto& [key, held] : pupils_)
        if (held.source == source) keys.push_back(key);
    return keys;
}

const HeldFlag* Register::flag(const FlagKey& key) const {
    const auto found = flags_.find(key);
    return found == flags_.end() ? nullptr : &found->second;
}

const HeldPupil* Register::pupil(const PupilKey& key) const {
    const auto found = pupils_.find(key);
    return found == pupils_.end() ? nullptr : &found->second;
}

const schemas::SchoolValue* Register::school(std::uint32_t urn) const {
    const auto found = schools_.find(urn);
    return found == schools_.end() ? nullptr : &found->second;
}

std::optional<Instant> Register::feed(const std::string& la) const {
    const auto found = feeds_.find(la);
    if (found == feeds_.end()) return std::nullopt;
    return found->second;
}

Instant Register::confirmed(const HeldPupil& pupil) const {
    const auto roll = rolls_.find(pupil.source);
    return roll == rolls_.end() ? pupil.received : roll->second.confirmed.value_or(pupil.received);
}

bool Register::has_roll_of(std::uint32_t urn) const {
    const auto first = pupils_.lower_bound({urn, {}});
    return first != pupils_.end() && first->first.urn == urn;
}

std::set<std::uint32_t> Register::successors(std::uint32_t urn) const {
    std::set<std::uint32_t> open, seen{urn};
    std::deque<std::uint32_t> todo{urn};
    while (!todo.empty() && seen.size() < succession_max) {
        const auto at = todo.front();
        todo.pop_front();
        for (auto link = links_.lower_bound({at, 0, {}}); link != links_.end() && link->first.urn == at;
             ++link) {
            const auto next = link->first.link_urn;
            if (link->first.link_type.compare(0, 9, "Successor") != 0 || !seen.insert(next).second) continue;
            const auto* found = school(next);
            if (found && found->status != 2)
                open.insert(next);
            else
                todo.push_back(next);
        }
    }
    return open;
}

std::vector<const schemas::TermPeriodValue*> Register::terms_of(const schemas::SchoolValue& school) const {
    std::vector<const schemas::TermPeriodValue*> periods;
    for (const auto& [key, term] : terms_) {
        if (key.urn == school.urn || (key.urn == 0 && key.la == school.la)) periods.push_back(&term);
    }
    return periods;
}

}  // namespace flagpost::registry
