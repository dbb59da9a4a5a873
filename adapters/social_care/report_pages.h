/// Reports for a manager: how many notices came each month to each authority, how many were to be expected, and in which months
/// some may be missing, because the flag list was late or the broker was not heard.
#pragma once

#include <array>
#include <optional>

#include "adapters/social_care/flag_book.h"
#include "adapters/web/handover.h"
#include "adapters/web/journal.h"
#include "adapters/web/site.h"

namespace flagpost::social_care {

/// How many notices a month should bring, as 19 of 20 do if nothing has changed: both ends included.
struct Expected {
    std::size_t low, high;
    friend bool operator==(const Expected&, const Expected&) = default;
};

/// April to March.
struct ReportMonth {
    std::string name;  // "April"
    std::size_t notices = 0;
    bool over = false;   // it has begun, so its number means something
    bool ended = false;  // no more will come
    std::optional<Expected> expected{};
    bool known_list = false;     // lists were loaded from here by its end
    bool late_list = false;      // at some time the list was older than agreed
    bool known_contact = false;  // whether the broker was heard is known for all of it that is over
    bool cut_off = false;        // at some time the broker was not heard for longer than `silence_told`
    bool may_lack() const { return late_list || cut_off; }
};
using ReportYear = std::array<ReportMonth, 12>;

/// Longer than this without a word from the broker, and the month says so.
inline constexpr std::chrono::hours silence_told{24};

/// Since when it is known whether the broker was heard, and when it was not.
struct Contact {
    std::optional<Instant> known_from{};
    std::vector<web::Silence> silences{};
};

/// By the whole months before, the newest up to 24, without those in which notices may be missing: their mean, and how much they vary,
/// which is never less than chance alone varies. As the broker's watch on volumes does by the hour. Nothing of fewer than
/// `months_learnt_min`.
std::optional<Expected> expected_after(const std::vector<std::size_t>& months);
inline constexpr std::size_t months_learnt_min = 3, months_learnt_max = 24;

/// `year`: in which its April lies. `received`: when each notice first came; `lists`: when each list was loaded, rising. Months
/// before the first notice count for no expectation, and neither does the one it came in.
ReportYear report_year(int year, const std::vector<Instant>& received, const std::vector<Instant>& lists,
                       std::chrono::hours list_age_max, Instant now, const Contact& contact = {});

/// Outside the authority fewer than 5 are not told exactly: in a small place they can name a child.
std::string count_outside(std::size_t notices);

/// For the role `manager`. Counted from the notices this authority received, never from the log, which the law keeps for other
/// uses (Data Protection Act 2018, section 62). Everything named lives as long as this.
class ReportPages {
public:
    /// `own`: the code of the authority whose flag lists the book is about.
    ReportPages(web::Site& site, web::Reader& reader, const web::Journal& journal, FlagBook& book,
                std::string own, std::uint32_t flag_list_hours_max);

private:
    web::Response show(const web::Visit& visit);
    web::Response table(const web::Visit& visit);
    /// Of each authority whose notices came here, by its code; its own first.
    std::vector<std::pair<std::string, ReportYear>> year_of(const web::Visit& visit, int year);
    std::string name_of(const std::string& authority) const;

    web::Site& site_;
    web::Reader& reader_;
    const web::Journal& journal_;
    FlagBook& book_;
    std::string own_;
    std::chrono::hours list_age_max_;
};

}  // namespace flagpost::social_care
