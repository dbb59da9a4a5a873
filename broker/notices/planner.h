/// How one plan is made (plan.h): what its parts share. Each part has a file of its own, plan_*.cpp.
#pragma once

#include <algorithm>
#include <functional>
#include <map>

#include "broker/match/compare.h"
#include "broker/match/related.h"
#include "broker/notices/plan.h"

namespace flagpost::notices {

template <class T> std::unique_ptr<T> copy_of(const std::unique_ptr<T>& value) {
    return value ? std::make_unique<T>(*value) : nullptr;
}

inline constexpr const char* two_must_agree =
    "The child is shielded: two people must agree before anything is sent.";

/// "12 Elm Road, Norham, NG1 1AA"
std::string one_line(const schemas::PlaceValue& place);

/// What the recipient sees, for the fingerprint: without what changes with every version or every minute.
Bytes lasting(schemas::SocialCareNoticeValue notice);
Bytes lasting(schemas::SchoolNoticeValue notice);
Bytes lasting(schemas::ReviewItemValue item);

/// Lives for one plan and keeps references to all that it is made from.
class Planner {
public:
    Planner(const agreement::Agreement& agreement, const registry::Register& known,
            const schemas::IncidentValue& incident, const match::Decision& decision, Instant now,
            const date::time_zone* zone, const std::set<std::string>& not_on_roll,
            const std::vector<KeptFrom>& kept_from)
        : agreement_{agreement},
          known_{known},
          incident_{incident},
          decision_{decision},
          now_{now},
          zone_{zone},
          not_on_roll_{not_on_roll},
          kept_from_{kept_from},
          relations_{match::relations(incident)} {}

    Plan plan();

private:
    using Rule = agreement::Rule;
    using Kind = schemas::Kind;
    using Outcome = schemas::Outcome;

    // What is shared by all notices: plan.cpp

    /// The whole notice for whoever is told under `by`; `turn` counts those asked before at the same place.
    template <class Value> using Make = std::function<Value(const Rule& by, std::size_t turn)>;

    /// A notice to one recipient, and where it goes.
    struct Address {
        std::string recipient;
        std::string topic;
        Kind kind{};
        std::vector<std::string> subjects;
        std::string about;  // the child, for the thread
        std::string la;     // of the ladder
    };

    /// Itself, or by another that acts for it.
    bool takes_part(std::string_view agency) const;
    void withhold(std::string recipient, Kind kind, std::vector<std::string> subjects, std::string why);
    const Rule* rule_if_any(Kind kind, const std::string& recipient) const;
    const Rule* rule(Kind kind, const std::string& recipient, const std::vector<std::string>& subjects);
    void add(Planned planned);
    const schemas::IncidentPersonValue* person(const std::optional<std::uint16_t>& number) const;
    bool is_party(std::string_view name) const;
    bool is_kept_from(std::string_view name, std::string_view agency) const;
    bool police_ask_for_person() const;

    template <class Value> Planned made(Address&& to, const Make<Value>& make, const Rule& by, Instant due) {
        auto& [recipient, topic, kind, subjects, about, la] = to;
        Planned planned;
        planned.dedup = about + " " + recipient + " " + std::string{schemas::EnumNameKind(kind)};
        planned.recipient = std::move(recipient);
        planned.topic = std::move(topic);
        planned.kind = kind;
        planned.subjects = std::move(subjects);
        planned.rule = by.id;
        planned.purpose = by.purpose;
        planned.legal_basis = by.legal_basis;
        planned.retention = by.retention;
        planned.due = due;
        planned.rungs = ladder<Value>(planned, make, by, la);
        Value value = make(by, 0);
        planned.fingerprint = lasting(value);
        planned.payload = std::move(value);
        return planned;
    }

    /// Whose turn it is at which time. Where the next in line takes no part in the agreement, the sender steps in.
    template <class Value> std::vector<PlannedRung> ladder(const Planned& first, const Make<Value>& make,
                                                           const Rule& by, const std::string& la) const {
        std::vector<PlannedRung> rungs;
        std::size_t turn = 0;
        for (const auto& rung : by.escalate) {
            PlannedRung next;
            next.at = rung.before_deadline ? first.due - *rung.before_deadline : now_ + *rung.after;
            next.unless = level_of(rung.unless);
            next.before_deadline = rung.before_deadline.has_value();
            const std::string other = rung.to + "/" + la;
            const bool again = rung.to == "again";
            if (again || (rung.to != "sender" && takes_part(other))) {
                const Rule& rule =
                    again ? by : *agreement_.rule_for(schemas::EnumNameKind(first.kind), "police", rung.to);
                next.recipient = again ? first.recipient : other;
                next.topic = again ? first.topic : "notices/" + other;
                next.rule = rule.id;
                next.purpose = rule.purpose;
                next.legal_basis = rule.legal_basis;
                next.retention = rule.retention;
                next.payload = make(rule, again ? ++turn : 0);
            }
            rungs.push_back(std::move(next));
        }
        std::ranges::stable_sort(rungs, {}, &PlannedRung::at);
        return rungs;
    }

    template <class Value> void add_incident(Value& value) const {
        value.force = incident_.force;
        value.incident_reference = incident_.reference;
        value.incident_version = incident_.version;
    }

    // Social care: plan_social_care.cpp

    void social_care(const match::Hit& hit);
    Planned notice_for(match::Hit hit, const schemas::FlagValue& flag, Instant received, const Rule& by);
    std::string worker_or_duty(const schemas::FlagValue& flag, std::size_t turn) const;
    schemas::SocialCareNoticeValue social_care_notice(const match::Hit& hit, const schemas::FlagValue& flag,
                                                      Instant received,
                                                      const std::set<std::string>& fields) const;
    void add_circumstances(schemas::SocialCareNoticeValue& notice, const std::set<std::string>& fields) const;
    void add_people(schemas::SocialCareNoticeValue& notice, const match::Hit& hit,
                    const schemas::FlagValue& flag, const std::set<std::string>& fields) const;
    std::string relation_of(std::size_t adult, const match::Hit& hit, const schemas::FlagValue& flag) const;
    std::uint32_t feed_age_hours(const std::string& la, Instant received) const;

    // A review, that is what a person has to look at: plan_reviews.cpp

    /// What becomes a review item.
    struct Review {
        std::string la;
        std::string bound_for;
        std::string subject;
        std::vector<std::string> subjects;
        Outcome outcome{};
        std::vector<std::string> why;
        std::optional<std::uint32_t> urn{};
        std::vector<std::unique_ptr<schemas::ComparedDetailValue>> compared{};
        std::set<std::string> will_be_told{};
        std::unique_ptr<Planned> held{};
        bool two_people = false;
        // Where `subject` is a place in the incident, which another version may give to another child.
        std::string whom{};
        std::uint16_t person = 0;  // as in ReviewItem
        std::vector<match::Evidence> evidence{};
        match::Millibits score = 0;
        std::string rule{};  // of what is sent

        /// One more reason why a person looks: the newest stands first.
        void because(const char* words) { why.insert(why.begin(), words); }
        void needs_two_people() {
            because(two_must_agree);
            two_people = true;
        }
        /// What is sent when it is permitted.
        void hold(Planned notice, const Rule& by) {
            held = std::make_unique<Planned>(std::move(notice));
            will_be_told = by.fields;
            rule = by.id;
        }
    };

    /// `is_child`: the person of the incident was compared with the child, not with somebody around the child, who may have more
    /// than one.
    template <class Hit> static void weigh(Review& review, const Hit& hit, bool is_child) {
        if (is_child && hit.person) review.person = static_cast<std::uint16_t>(*hit.person + 1);
        review.evidence = hit.evidence;
        review.score = hit.score;
    }
    void add_review(Review review);
    std::vector<std::unique_ptr<schemas::ComparedDetailValue>> side_by_side(
        const std::optional<std::uint16_t>& number, const schemas::PersonValue* theirs,
        const std::vector<std::unique_ptr<schemas::DatedPlaceValue>>& places,
        const std::vector<match::Evidence>& evidence) const;
    std::vector<std::unique_ptr<schemas::ComparedDetailValue>> compared_with(
        const match::PupilHit& hit, const schemas::PupilValue& pupil) const;
    std::string weighed_by(const std::string& rule) const;
    std::string desk_of(const std::string& la) const;
    std::string name_of(const std::string& agency) const;

    // Schools, and officers for children not in school: plan_schools.cpp

    void school(const match::PupilHit& hit);
    void registered(const match::PupilHit& hit, const registry::HeldPupil& held);
    void no_school(const match::Unplaced& child);
    void not_in_school(const match::PupilHit& hit, const schemas::PersonValue& child, Review review);
    Planned notice_for_school(const match::PupilHit& hit, const schemas::PersonValue& child,
                              std::uint32_t urn, const std::string& subject, const std::string& la,
                              const Rule& by);
    Planned notice_for_officer(const match::PupilHit& hit, const schemas::PersonValue& child,
                               const Review& about, std::uint32_t urn, const Rule& by);
    schemas::SchoolNoticeValue school_notice(const match::PupilHit& hit, const schemas::PersonValue& child,
                                             std::uint32_t urn, const std::set<std::string>& fields) const;
    std::vector<const schemas::PlaceValue*> hidden_places() const;
    bool is_unconfirmed(const registry::HeldPupil& held) const;
    bool is_not_on_roll(const std::string& subject, const std::string& recipient) const;
    bool is_elsewhere(const match::PupilHit& hit, const std::string& subject) const;
    bool is_shielded(const match::PupilHit& hit, const schemas::PupilValue& pupil) const;
    bool has_shield(const schemas::PersonValue& child) const;
    static bool is_of_same_child(const match::Hit& flag, const match::PupilHit& hit);
    static bool may_be_same(const schemas::PersonValue& one, const schemas::PersonValue& other);
    static std::string school_of(std::uint32_t urn);
    bool has_contact(std::uint32_t urn, const std::function<bool(const std::string&)>& such) const;
    std::string school_contact(std::uint32_t urn, std::size_t turn) const;
    std::optional<std::uint32_t> receiving_school(std::uint32_t urn) const;
    bool grown_up(std::string_view born) const;

    // Where a child lives, and the force of residence: plan_residence.cpp

    struct Elsewhere {
        std::string la;
        std::optional<AgencyId> force;  // none: nobody in the agreement has that area
    };
    /// A child of whom the force of residence may have to be told.
    struct Handover {
        const match::PupilHit& hit;
        const schemas::PersonValue& child;
        std::vector<const schemas::PlaceValue*> homes;  // the surest first
        const Review& school;                           // what the school's own would be
        bool is_shielded;
        const char* words;
    };
    /// How many schools each authority has in the postcode's sector, and in its district.
    struct Around {
        std::map<std::string, int> sector, district;
    };
    bool hand_over(const Handover& what);
    std::optional<Elsewhere> lives_elsewhere(const std::vector<const schemas::PlaceValue*>& homes) const;
    std::vector<const schemas::PlaceValue*> homes_of(const match::PupilHit& hit,
                                                     const schemas::PupilValue& pupil) const;
    std::optional<std::string> authority_of_home(const schemas::PlaceValue& home,
                                                 const std::vector<std::string>& own) const;
    std::string authority_for(std::uint16_t number) const;
    std::optional<std::string> authority_of(std::uint32_t urn) const;
    std::optional<std::string> authority_around(const std::string& postcode) const;
    Around schools_around(const std::string& postcode) const;
    static std::optional<std::string> most(const std::map<std::string, int>& schools);
    std::string desk_near(const std::string& la) const;
    std::string first_authority() const;

    const agreement::Agreement& agreement_;
    const registry::Register& known_;
    const schemas::IncidentValue& incident_;
    const match::Decision& decision_;
    Instant now_;
    const date::time_zone* zone_;
    const std::set<std::string>& not_on_roll_;
    const std::vector<KeptFrom>& kept_from_;
    match::Relations relations_;
    std::set<std::string> seen_;
    std::set<std::string> handed_over_;  // subjects of which the force of residence was seen to
    Plan plan_;
};

}  // namespace flagpost::notices
