/// Matches a person must look at before anything is sent: the list, one match side by side, the decision.
#pragma once

#include "adapters/web/handover.h"
#include "adapters/web/journal.h"
#include "adapters/web/site.h"

namespace flagpost::social_care {

/// How long opening a match keeps it for whoever opened it, unless little time is left.
inline constexpr std::chrono::minutes claim_kept{10};
inline constexpr std::chrono::minutes free_for_all{15};  // before it must be decided
inline constexpr std::size_t note_size_max = 200;        // characters

/// For the role `reviewer`. Everything named lives as long as this.
class ReviewPages {
public:
    ReviewPages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal);
    std::size_t open_count(const web::Person& person);

private:
    struct Review {
        client::Incoming item;
        schemas::ReviewItemValue value;
        bool waits_for_second = false;
        bool asked = false;  // police
    };
    /// Those this person may see: all but what a conflict list keeps from them.
    std::vector<Review> open_ones(const web::Person& person);
    /// What is decided at once: one match, or several records of which at most one is the person whom police named, the likeliest
    /// first.
    using Question = std::vector<Review>;
    std::vector<Question> questions(const web::Person& person);
    Question question_of(const web::Person& person, Review review);
    /// Notes for the next reviewer, the oldest first.
    std::vector<web::Entry> notes_on(const Question& question);
    std::optional<Review> find(const web::Person& person, const std::string& reference);
    Review review_from(client::Incoming item);
    /// Who else has it now, and until when; nothing: it is free.
    std::optional<std::pair<std::string, Instant>> claimed_by_other(const web::Visit& visit,
                                                                    const Review& review);
    std::optional<std::pair<std::string, Instant>> claimed_by_other(const web::Visit& visit,
                                                                    const Question& question);
    bool was_first(const web::Visit& visit, const Question& question);

    web::Response list(const web::Visit& visit);
    web::View row(const web::Visit& visit, const Question& question);
    web::View record(const web::Visit& visit, const Review& review, const std::string& letter);
    web::Response show(const web::Visit& visit, const std::string& error);
    web::Response decide(const web::Visit& visit);
    web::Response leave_note(const web::Visit& visit);
    void keep_note(const web::Visit& visit, const Question& question, const std::string& note);

    web::Site& site_;
    web::Reader& reader_;
    web::Handover& handover_;
    web::Journal& journal_;
};

}  // namespace flagpost::social_care
