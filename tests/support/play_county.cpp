/// play_county FILES FOLDER: a sample county's incidents through the exchange in simulated time; what was told as JSON.
///
/// FILES is what tools/make-county wrote, FOLDER the one in it that holds the incidents' days. No process, socket or disk
/// stands between the files and the exchange: the adapters' own readers make the records, each incident is published when
/// it was recorded, timers fire as their time comes. Four of five schools open their notices in time; of the others the
/// ladder must make up. Reviews are denied after three hours, so nothing is sent that a person would have had to permit.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "adapters/client/load.h"
#include "adapters/police/incident_rows.h"
#include "adapters/school/roll_rows.h"
#include "adapters/social_care/flag_rows.h"
#include "broker/app/reference.h"
#include "broker/crypto/digest.h"
#include "broker/exchange/exchange.h"
#include "broker/wire/frames.h"
#include "notice_generated.h"
#include "order_generated.h"

using namespace flagpost;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::minutes tick_every{5};
constexpr const char* force = "31";

std::string text_of(const fs::path& file) {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

client::CsvFile rows_of(const fs::path& file) {
    auto read = client::CsvFile::read(file);
    if (!read) throw std::runtime_error{file.string() + ": " + read.error().where};
    return std::move(*read);
}

Id16 hashed(std::string_view what) {
    static const crypto::SymmetricKey key{{1}};
    return crypto::hmac16(key, {view(what)});
}

template <class T> typename T::NativeTableType unpacked(BytesView bytes) {
    const auto table = wire::read_table<T>(bytes, "payload");
    if (!table) throw std::logic_error{"the exchange made what cannot be read"};
    typename T::NativeTableType value;
    (*table)->UnPackTo(&value);
    return value;
}

std::string hex(const std::vector<std::uint8_t>& bytes) { return to_hex(BytesView{bytes}); }

/// What became of one school notice, for its deadline.
struct Fate {
    std::int64_t due_us = 0;
    bool opened = false, escalated = false;  // by then
};

class County {
public:
    explicit County(const fs::path& files)
        : files_{files}, agreement_{agreed(files)}, exchange_{setting(agreement_)} {}

    void begin(Instant at) {
        now_ = next_tick_ = at;
        for (const auto* name :
             {"gias.csv", "gias-links.csv", "bank-holidays.json", "terms.csv", "contacts.csv"}) {
            auto reference = app::read_reference(files_ / name, std::nullopt);
            if (!reference) throw std::runtime_error{name};
            load("operator/duty", {reference->of, schemas::LoadMode::full, 1, "", reference->topic, name,
                                   std::move(reference->records)});
        }
        load_rolls("school/900001", "rolls/school/900001", "urn:900001", "roll-900001.csv", 900001);
        for (const auto& [agency, party] : agreement_.parties()) {
            if (agency.kind() != "social-care") continue;
            const std::string la{agency.code()};
            load_rolls("education/" + la, "rolls/" + la, "la:" + la, "rolls-" + la + ".csv", std::nullopt);
            auto& flags = flags_[la];
            const auto csv = rows_of(files_ / ("flags-" + la + ".csv"));
            for (const auto& row : csv.rows()) {
                desk::Findings findings;
                flags.push_back(wire::pack<schemas::Flag>(social_care::read_flag(row, la, findings)));
                if (!findings.usable()) throw std::runtime_error{"a flag cannot be used"};
            }
        }
        confirm_flags();
    }

    /// Whose roll it is says each week that it stands, by a change of one row to what it is.
    void confirm_rolls() {
        for (auto& [agency, roll] : rolls_) {
            ++roll.sequence;
            load(agency, roll);
        }
    }

    /// Each authority hands over its list as it is.
    void confirm_flags() {
        ++flag_loads_;
        for (const auto& [la, flags] : flags_)
            load("social-care/" + la, {schemas::LoadOf::flags, schemas::LoadMode::full, flag_loads_, "",
                                       "flags/" + la, "flags", flags});
    }

    void play(const fs::path& file) {
        std::vector<schemas::IncidentValue> incidents;
        const auto csv = rows_of(file);
        for (const auto& row : csv.rows()) {
            desk::Findings findings;
            incidents.push_back(
                police::read_incident(desk::object_of(row, {"people"}, findings), force, findings));
            if (!findings.usable()) throw std::runtime_error{file.string() + ": a row cannot be used"};
        }
        std::ranges::stable_sort(incidents, {}, &schemas::IncidentValue::recorded_us);
        for (const auto& incident : incidents) {
            advance(std::max(now_, from_us(incident.recorded_us)));
            publish("police/31", {schemas::Kind::incident,
                                  std::string{"incidents/"} + force,
                                  "",
                                  "safeguarding",
                                  {"CA2004-s10"},
                                  std::nullopt,
                                  wire::pack<schemas::Incident>(incident)});
            give(exchange::Tick{});  // what is due at once: it came shortly before a school's day begins
            ++count_;
        }
    }

    json finish() {
        advance(now_ + std::chrono::days{14});  // longer than any holiday of the county
        std::size_t opened = 0, escalated = 0, neither = 0;
        for (const auto& [notice, fate] : fates_)
            ++(fate.opened ? opened : fate.escalated ? escalated : neither);
        return {
            {"incidents",      count_   },
            {"social",         social_  },
            {"school",         school_  },
            {"reviews",        reviews_ },
            {"refused",        refused_ },
            {"opened_in_time", opened   },
            {"escalated",      escalated},
            {"neither",        neither  },
            {"reports",        reports_ }
        };
    }

private:
    /// The answer a recipient will give.
    struct Answer {
        std::string agency;
        schemas::Kind kind;
        std::string notice;
        Bytes payload;
    };

    static agreement::Agreement agreed(const fs::path& files) {
        auto read = agreement::Agreement::parse(text_of(files / "agreement.toml"));
        if (!read) throw std::runtime_error{read.error().where};
        return std::move(*read);
    }
    static exchange::Setting setting(const agreement::Agreement& agreement) {
        return {agreement,
                SpiffeId::parse("spiffe://" + std::string{agreement.partnership()} + "/broker/main").value(),
                hashed, date::locate_zone("Europe/London"), hashed};
    }

    void load_rolls(const std::string& agency, const std::string& topic, const std::string& scope,
                    const std::string& file, std::optional<std::uint32_t> urn) {
        std::vector<Bytes> pupils;
        const auto csv = rows_of(files_ / file);
        for (const auto& row : csv.rows()) {
            desk::Findings findings;
            pupils.push_back(wire::pack<schemas::Pupil>(school::read_pupil(row, urn, findings)));
            if (!findings.usable()) throw std::runtime_error{file + ": a row cannot be used"};
        }
        rolls_.insert_or_assign(
            agency,
            client::Load{
                schemas::LoadOf::rolls, schemas::LoadMode::delta, 1, scope, topic, file, {pupils.front()}});
        load(agency,
             {schemas::LoadOf::rolls, schemas::LoadMode::full, 1, scope, topic, file, std::move(pupils)});
    }

    void load(const std::string& agency, const client::Load& load) {
        for (auto& [draft, subject] : client::drafts_of(load, next_id())) publish(agency, draft);
    }

    exchange::Actor actor(const std::string& agency) const {
        return {SpiffeId::parse("spiffe://" + std::string{agreement_.partnership()} + "/" + agency).value(),
                Id16{1}};
    }

    Id16 next_id() {
        struct Counter final : Random {
            std::uint64_t value = 0;
            void fill(std::span<std::uint8_t> out) override {
                ++value;
                for (std::size_t i = 0; i < out.size(); ++i)
                    out[out.size() - 1 - i] = static_cast<std::uint8_t>(i < 8 ? value >> (8 * i) : 0);
            }
        };
        Counter counter;
        counter.value = ids_++;
        return make_uuid7(now_, counter);
    }

    void publish(const std::string& agency, const wire::Draft& draft) {
        const auto id = next_id();
        give(exchange::Published{actor(agency), wire::make_envelope(draft, id, id, now_), Bytes{1},
                                 std::nullopt});
    }

    void give(const exchange::Command& command) {
        auto outcome = exchange_.decide(command, now_);
        if (const auto* refusal = std::get_if<Refusal>(&outcome.reply)) {
            ++refused_;
            std::cerr << "refused: " << refusal->where << "\n";
        }
        for (const auto& delivery : outcome.deliveries) deliver(delivery);
    }

    /// Everything due up to `to`, in order.
    void advance(Instant to) {
        for (;;) {
            const bool answers = !answers_.empty() && answers_.begin()->first <= next_tick_;
            const Instant next = answers ? answers_.begin()->first : next_tick_;
            if (next > to) break;
            now_ = std::max(now_, next);
            if (answers) {
                auto answer = std::move(answers_.extract(answers_.begin()).mapped());
                answered(answer);
            } else {
                give(exchange::Tick{});
                next_tick_ += tick_every;
            }
        }
        now_ = std::max(now_, to);
    }

    void answered(const Answer& answer) {
        if (const auto fate = fates_.find(answer.notice); fate != fates_.end())
            fate->second.opened = to_us(now_) <= fate->second.due_us;
        publish(answer.agency, {answer.kind,
                                "receipts/" + answer.agency,
                                "",
                                "safeguarding",
                                {"CA2004-s10"},
                                std::nullopt,
                                answer.payload});
    }

    /// Whoever reads the mailbox: its agency, or who acts for it.
    std::string reader_of(const std::string& topic) const {
        const auto rest = topic.substr(topic.find('/') + 1);
        const std::string name = topic.starts_with("reviews/")   ? "social-care/" + rest
                                 : topic.starts_with("markers/") ? "police/" + rest
                                                                 : rest;
        const auto agency = AgencyId::parse(name).value();
        if (agreement_.party(agency)) return name;
        for (const auto& [other, party] : agreement_.parties())
            if (agreement_.acts_as(other, agency)) return other.text();
        throw std::logic_error{"nobody reads " + topic};
    }

    void deliver(const exchange::Delivery& delivery) {
        const auto reader = reader_of(delivery.topic);
        stored_.push_back({reader, delivery.topic, delivery.number});
        const auto envelope = wire::read_envelope(delivery.envelope);
        if (!envelope) throw std::logic_error{"the exchange made an envelope that cannot be read"};
        switch (envelope->kind) {
            case schemas::Kind::social_care_notice:
                told(unpacked<schemas::SocialCareNotice>(envelope->payload), reader);
                break;
            case schemas::Kind::school_notice:
                told(unpacked<schemas::SchoolNotice>(envelope->payload), reader, delivery.topic);
                break;
            case schemas::Kind::review_item:
                asked(unpacked<schemas::ReviewItem>(envelope->payload), reader);
                break;
            case schemas::Kind::report: {
                const auto report = unpacked<schemas::Report>(envelope->payload);
                ++reports_[schemas::EnumNameReportOf(report.what)];
                const auto fate = fates_.find(hex(report.notice));
                if (report.what == schemas::ReportOf::escalated && fate != fates_.end() &&
                    report.at_us < fate->second.due_us)
                    fate->second.escalated = true;
                break;
            }
            default:
                break;
        }
        if (stored_.size() > 1 || acknowledging_) return;
        acknowledging_ = true;  // what an acknowledgement makes is delivered here again
        while (!stored_.empty()) {
            const auto [agency, topic, number] = stored_.back();
            stored_.pop_back();
            give(exchange::Acknowledged{actor(agency), topic, {number}});
        }
        acknowledging_ = false;
    }

    void told(const schemas::SocialCareNoticeValue& notice, const std::string& reader) {
        social_.push_back({
            {"incident_reference", notice.incident_reference               },
            {"la_child_id",        notice.la_child_id                      },
            {"outcome",            schemas::EnumNameOutcome(notice.outcome)}
        });
        receipt(reader, notice.notice, schemas::Level::recorded, std::chrono::minutes{90});
    }

    void told(const schemas::SchoolNoticeValue& notice, const std::string& reader, const std::string& topic) {
        if (!topic.starts_with("notices/school/")) return;
        school_.push_back({
            {"incident_reference", notice.incident_reference},
            {"urn",                notice.urn               },
            {"upn",                notice.upn               }
        });
        if (!fates_.try_emplace(hex(notice.notice), Fate{notice.read_by_us}).second) return;  // asked again
        if (fates_.size() % 5 == 0) return;                                                   // nobody looks
        const std::chrono::minutes later{10 + 37 * (fates_.size() % 17)};
        receipt(reader, notice.notice, schemas::Level::opened, later);
    }

    void receipt(const std::string& reader, const std::vector<std::uint8_t>& notice, schemas::Level level,
                 std::chrono::minutes later) {
        schemas::ReceiptValue value;
        value.notice = notice;
        value.level = level;
        value.by = "J. Worker";
        if (level == schemas::Level::recorded) value.outcome = "contacted";
        answers_.emplace(now_ + later, Answer{reader, schemas::Kind::receipt, hex(notice),
                                              wire::pack<schemas::Receipt>(value)});
    }

    void asked(const schemas::ReviewItemValue& item, const std::string& reader) {
        reviews_.push_back({
            {"incident_reference", item.incident_reference},
            {"subject",            item.subject           }
        });
        if (!asked_.insert(hex(item.review)).second) return;
        schemas::ReviewDecisionValue value;
        value.review = item.review;
        value.verdict = schemas::Verdict::deny;
        value.by = "R. Viewer";
        value.reason = "other_child";
        answers_.emplace(now_ + std::chrono::hours{3},
                         Answer{reader, schemas::Kind::review_decision, hex(item.review),
                                wire::pack<schemas::ReviewDecision>(value)});
    }

    struct Stored {
        std::string agency, topic;
        std::uint64_t number;
    };

    fs::path files_;
    agreement::Agreement agreement_;
    exchange::Exchange exchange_;
    Instant now_{}, next_tick_{};
    std::uint64_t ids_ = 1, flag_loads_ = 0;
    std::map<std::string, std::vector<Bytes>> flags_;  // by authority
    std::map<std::string, client::Load> rolls_;        // by agency
    std::multimap<Instant, Answer> answers_;
    std::vector<Stored> stored_;
    bool acknowledging_ = false;
    std::map<std::string, Fate> fates_;  // by notice
    std::set<std::string> asked_;
    json social_ = json::array(), school_ = json::array(), reviews_ = json::array();
    std::map<std::string, std::size_t> reports_;
    std::size_t count_ = 0, refused_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "play_county FILES FOLDER\n";
        return 2;
    }
    try {
        const fs::path files{argv[1]};
        std::vector<fs::path> days;
        for (const auto& entry : fs::directory_iterator{files / argv[2]}) days.push_back(entry.path());
        std::ranges::sort(days);
        if (days.empty()) throw std::runtime_error{"no days"};
        const auto first = days.front().stem().string();  // incidents-31-2026-11-18
        const auto date = app::day_of(first.substr(first.size() - 10));
        if (!date) throw std::runtime_error{"a file's name ends in no date"};
        int year = 0, month = 0, day = 0;
        if (std::sscanf(date->c_str(), "%d-%d-%d", &year, &month, &day) != 3) return 2;
        County county{files};
        county.begin(date::sys_days{date::year{year} / month / day} - std::chrono::hours{1});
        const auto begun = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < days.size(); ++i) {
            if (i % 7 == 6) {
                county.confirm_flags();
                county.confirm_rolls();
            }
            county.play(days[i]);
        }
        auto result = county.finish();
        result["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
        std::cout << result.dump() << "\n";
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "play_county: " << error.what() << "\n";
        return 1;
    }
}
