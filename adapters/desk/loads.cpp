#include "adapters/desk/loads.h"

#include <fstream>
#include <iterator>
#include <map>
#include <ostream>
#include <stdexcept>

#include "adapters/client/text.h"

namespace flagpost::desk {
namespace {

using nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr std::size_t results_shown_max = 20;  // on the screen; the rejects file has all
constexpr std::chrono::seconds result_after_refusal_max{5};
constexpr std::size_t refusals_searched_max = 10'000;

/// The fact under which the sequence number of the last load is kept, and the load still under way. The broker counts
/// by topic.
std::string sequence_fact(const std::string& topic) { return "load-sequence/" + topic; }
std::string pending_fact(const std::string& topic) { return "load-pending/" + topic; }

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const auto& part : parts) all += (all.empty() ? "" : "; ") + part;
    return all;
}

Result<void> require_columns(const client::CsvFile& csv, const std::vector<std::string>& needed) {
    for (const auto& name : needed)
        if (std::ranges::find(csv.header(), name) == csv.header().end())
            return refuse(Reason::malformed, "header: no column " + name);
    return {};
}

/// Puts the rejected rows themselves beside their reasons.
void keep_rows(const std::string& bytes, const client::CsvFile& csv, std::vector<Reject>& rejects) {
    if (rejects.empty()) return;
    std::set<std::uint64_t> begins;
    for (const auto& row : csv.rows()) begins.insert(row.line);
    for (const auto& row : csv.bad_rows()) begins.insert(row.line);
    const std::string text = client::to_utf8(bytes);
    const Lines lines{text};
    for (Reject& reject : rejects) {
        if (reject.used) continue;
        const auto next = begins.upper_bound(reject.line);
        reject.row = lines.from(reject.line, next == begins.end() ? 0 : *next);
    }
}

/// Whether the broker has used up the sequence number.
bool applied(schemas::FileCode code) {
    return loaded_something(code) || code == schemas::FileCode::none_loaded;
}

void remember(client::Box& box, const std::string& topic, const schemas::LoadResultValue& result) {
    if (applied(result.code)) box.set_fact(sequence_fact(topic), std::to_string(result.sequence));
    box.set_fact(pending_fact(topic), "");
}

std::uint64_t last_sequence(const client::Box& box, const std::string& topic) {
    const auto fact = box.fact(sequence_fact(topic));
    return fact ? std::stoull(*fact) : 0;
}

std::string load_mark(const std::string& load) { return "load/" + load; }

/// The load that was put into the outbox last, while nobody has taken note of what became of it.
std::optional<Id16> pending_load(const client::Box& box, const std::string& topic) {
    const auto bytes = from_hex(box.fact(pending_fact(topic)).value_or(""));
    const auto load = bytes ? exactly<16>(*bytes) : std::nullopt;
    if (!load || !box.marked(load_mark(to_hex(*load)))) return std::nullopt;
    return load;
}

/// A load of an earlier, interrupted command: its number counts, so what became of it must be known before another
/// begins. It may have been interrupted before anything was sent, or refused with nobody waiting.
void finish_pending(Desk& desk, const std::string& topic, std::chrono::seconds patience) {
    const auto load = pending_load(desk.box(), topic);
    if (!load) return;
    std::optional<schemas::LoadResultValue> result;
    bool refused = false;
    const auto known = [&] {
        result = result_of(desk.box(), *load);
        refused = !result && was_refused(desk.box(), *load);
        return result || refused;
    };
    if (!desk.reach(known, patience))
        throw std::runtime_error{"an earlier load has not been answered yet; try again later"};
    if (result)
        remember(desk.box(), topic, *result);
    else
        desk.box().set_fact(pending_fact(topic), "");
}

/// What became of a load's messages so far: begin first, commit last.
class Sent {
public:
    Sent(client::Box& box, std::vector<Id16> ids) : box_{box}, ids_{std::move(ids)} {}

    /// Looks at those not yet settled.
    void look() {
        for (; settled_ < ids_.size(); ++settled_) {
            const auto status = box_.status(ids_[settled_]);
            if (status.state == client::OutgoingState::waiting) return;
            if (status.refusal && !refusal_) {
                refusal_ = status.refusal;
                begin_refused_ = settled_ == 0;
            }
        }
    }
    const std::optional<Refusal>& refusal() const { return refusal_; }
    bool begin_refused() const { return begin_refused_; }
    bool all_settled() const { return settled_ == ids_.size(); }

private:
    client::Box& box_;
    std::vector<Id16> ids_;
    std::size_t settled_ = 0;
    std::optional<Refusal> refusal_;
    bool begin_refused_ = false;
};

struct Answer {
    std::optional<schemas::LoadResultValue> result;
    std::optional<Refusal> refusal;
};

Answer send_and_wait(Desk& desk, const client::Load& load, const LoadOptions& options) {
    const Id16 id = make_uuid7(desk.now(), desk.random());
    if (options.begun) options.begun(id, load.sequence);
    desk.box().set_fact(pending_fact(load.topic), to_hex(id));
    const auto ids = desk.box().enqueue(client::drafts_of(load, id), load_mark(to_hex(id)));
    Answer answer;
    Sent sent{desk.box(), ids};
    std::optional<Steady::time_point> give_up;
    const auto known = [&] {
        sent.look();
        answer.result = result_of(desk.box(), id);
        if (answer.result) return true;
        if (!sent.refusal()) return false;
        // A load once begun ends with a result, which says more than the refusal of one of its parts.
        if (sent.all_settled() && !give_up) give_up = Steady::now() + result_after_refusal_max;
        if (!sent.begin_refused() && (!give_up || Steady::now() < *give_up)) return false;
        answer.refusal = sent.refusal();
        return true;
    };
    const bool answered = desk.reach(known, options.patience);
    if (!answered)
        throw std::runtime_error{
            "no answer from the broker in time" +
            (desk.last_problem().empty() ? "" : ": " + desk.last_problem()) +
            ". The load is kept and will be sent; the next load command reads its result"};
    if (answer.result)
        remember(desk.box(), load.topic, *answer.result);
    else
        desk.box().set_fact(pending_fact(load.topic), "");
    return answer;
}

void add_results(Prepared& prepared, const schemas::LoadResultValue& result) {
    for (const auto& one : result.results) {
        if (one->ok || one->number == 0 || one->number > prepared.lines.size()) continue;
        prepared.rejects.push_back(
            {prepared.lines[one->number - 1], false, "the broker refused it: " + one->where, {}});
    }
}

json report_of(const Prepared& prepared, const Answer& answer, std::uint64_t sequence) {
    json report{
        {"sequence", sequence             },
        {"sent",     prepared.lines.size()},
        {"loaded",   0                    },
        {"results",  json::array()        },
    };
    if (answer.refusal) {
        report["code"] = "refused";
        report["reason"] = name(answer.refusal->reason);
        report["where"] = answer.refusal->where;
    }
    if (answer.result) {
        report["code"] = schemas::EnumNameFileCode(answer.result->code);
        report["file_code"] = file_code(answer.result->code);
        report["loaded"] = answer.result->accepted;
        report["rejected_by_broker"] = answer.result->rejected;
        for (const auto& one : answer.result->results) {
            if (one->number == 0) report["problem"] = one->where;  // of the load itself
            if (one->number == 0 || one->number > prepared.lines.size()) continue;
            report["results"].push_back({
                {"line",  prepared.lines[one->number - 1]},
                {"key",   prepared.keys[one->number - 1] },
                {"ok",    one->ok                        },
                {"where", one->where                     }
            });
        }
    }
    return report;
}

int say_unsent(schemas::FileCode code, const std::string& why, const LoadOptions& options,
               std::ostream& out) {
    const std::string rejects_file = rejects_file_of(options.file).string();
    if (options.json)
        out << json{{"code", schemas::EnumNameFileCode(code)},
                    {"file_code", file_code(code)},
                    {"sent", 0},
                    {"loaded", 0},
                    {"problem", why},
                    {"results", json::array()},
                    {"rejects_file", rejects_file}}
                   .dump(1, ' ', false, json::error_handler_t::replace)
            << "\n";
    else
        out << file_code(code) << ": " << in_words(code) << ".\n"
            << why << "\nReasons: " << rejects_file << "\n";
    return 1;
}

void tell(const json& report, const Answer& answer, std::ostream& out) {
    if (answer.refusal)
        out << "The broker refused the load: " << report["reason"].get<std::string>() << " ("
            << answer.refusal->where << "). Nothing was changed.\n";
    if (answer.result)
        out << report["file_code"].get<std::string>() << ": " << in_words(answer.result->code) << ".\n"
            << "Sequence " << answer.result->sequence << ": " << answer.result->accepted << " loaded, "
            << answer.result->rejected << " refused by the broker, " << report["rows_rejected"]
            << " rows not sent.\n";
    if (report.contains("problem")) out << report["problem"].get<std::string>() << "\n";
    if (report["sent_as_delta"].get<bool>())
        out << "Because rows were rejected the list was not replaced but added to: nobody was taken off it. "
               "Correct the rows and load again.\n";
    std::size_t shown = 0;
    for (const auto& one : report["results"]) {
        if (one["ok"].get<bool>() || shown++ == results_shown_max) continue;
        out << "  line " << one["line"] << ", " << one["key"].get<std::string>() << ": "
            << one["where"].get<std::string>() << "\n";
    }
    if (report.contains("rejects_file"))
        out << "What was rejected or changed, and why: " << report["rejects_file"].get<std::string>() << "\n";
}

}  // namespace

schemas::FileCode code_of_file(schemas::FileCode answered, std::size_t unsent) {
    return answered == schemas::FileCode::all_loaded && unsent > 0 ? schemas::FileCode::some_loaded
                                                                   : answered;
}

bool loaded_something(schemas::FileCode code) {
    return code == schemas::FileCode::all_loaded || code == schemas::FileCode::some_loaded;
}

std::string in_words(schemas::FileCode code) {
    switch (code) {
        case schemas::FileCode::malformed:
            return "the load was malformed; nothing was changed";
        case schemas::FileCode::all_loaded:
            return "all records were loaded";
        case schemas::FileCode::some_loaded:
            return "some records were loaded, others not";
        case schemas::FileCode::none_loaded:
            return "no record was loaded";
        case schemas::FileCode::wrong_count:
            return "the number of records was not as declared; nothing was changed";
        case schemas::FileCode::sequence_gap:
            return "the broker expected another sequence number (--sequence); nothing was changed";
        case schemas::FileCode::abandoned:
            return "the load was not completed in time; nothing was changed";
    }
    return "the broker gave an answer this version does not know";
}

std::string file_code(schemas::FileCode code) {
    return code <= schemas::FileCode::none_loaded ? "CPF0" + std::to_string(static_cast<int>(code) + 1)
                                                  : schemas::EnumNameFileCode(code);
}

std::optional<schemas::LoadResultValue> result_of(const client::Box& box, const Id16& load) {
    const auto item = box.find(to_hex(load));
    if (!item || item->kind != schemas::Kind::load_result) return std::nullopt;
    const auto table = wire::read_table<schemas::LoadResult>(item->payload, "load result");
    if (!table) throw std::runtime_error{"the broker's load result cannot be read"};
    schemas::LoadResultValue value;
    (*table)->UnPackTo(&value);
    return value;
}

bool was_refused(const client::Box& box, const Id16& load) {
    return std::ranges::any_of(box.refusals(refusals_searched_max),
                               [hex = to_hex(load)](const auto& status) { return status.subject == hex; });
}

std::uint64_t next_sequence(const client::Box& box, const std::string& topic) {
    std::uint64_t last = last_sequence(box, topic);
    if (const auto pending = pending_load(box, topic))
        if (const auto result = result_of(box, *pending); result && applied(result->code))
            last = result->sequence;
    return last + 1;
}

std::filesystem::path rejects_file_of(const std::filesystem::path& file) {
    return file.parent_path() / (file.filename().string() + ".rejects.csv");
}

void Preparation::add(std::uint64_t line, RowRecord record, Findings& findings, std::string text) {
    if (findings.usable() && record.bytes.size() > limits::payload_size_max / 2)
        findings.fault("row", "too large to send");
    if (findings.usable() && !record.key.empty()) {
        const auto [first, fresh] = seen_.emplace(record.key, line);
        if (!fresh) findings.fault("row", "the same as on line " + std::to_string(first->second));
    }
    if (!findings.usable()) return reject(line, joined(findings.faults()), std::move(text));
    if (!findings.details_left_out().empty())
        prepared_.rejects.push_back({line, true, joined(findings.details_left_out()), {}});
    prepared_.records.push_back(std::move(record.bytes));
    prepared_.lines.push_back(line);
    prepared_.keys.push_back(std::move(record.key));
}

void Preparation::reject(std::uint64_t line, const std::string& why, std::string text) {
    prepared_.rejects.push_back({line, false, why, std::move(text)});
}

std::string read_file(const std::filesystem::path& file, std::size_t size_max) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    std::error_code unknown;
    if (const auto size = std::filesystem::file_size(file, unknown); !unknown && size > size_max)
        throw std::runtime_error{file.string() + ": is too large"};
    std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
    if (stream.bad()) throw std::runtime_error{"cannot read " + file.string()};
    return bytes;
}

Prepared prepare_rows(const std::vector<client::CsvRow>& rows, const ReadRow& read_row) {
    Preparation preparation;
    for (const auto& row : rows) {
        Findings findings;
        RowRecord record = read_row(row, findings);
        preparation.add(row.line, std::move(record), findings);
    }
    return std::move(preparation).finish();
}

Result<Prepared> prepare(const std::filesystem::path& file, const std::vector<std::string>& needed,
                         const ReadRow& read_row) {
    return prepare_text(read_file(file), needed, read_row);
}

Result<Prepared> prepare_text(const std::string& bytes, const std::vector<std::string>& needed,
                              const ReadRow& read_row) {
    const auto csv = client::CsvFile::parse(bytes);
    if (!csv) return tl::unexpected{csv.error()};
    if (const auto complete = require_columns(*csv, needed); !complete)
        return tl::unexpected{complete.error()};

    Prepared prepared = prepare_rows(csv->rows(), read_row);
    for (const auto& bad : csv->bad_rows()) prepared.rejects.push_back({bad.line, false, bad.why, {}});
    std::ranges::stable_sort(prepared.rejects, {}, &Reject::line);
    keep_rows(bytes, *csv, prepared.rejects);
    return prepared;
}

std::optional<Begun> begin_load(client::Box& box, Instant now, Random& random, const Destination& to,
                                std::vector<Bytes> records, const std::string& source,
                                schemas::LoadMode mode) {
    const auto pending = pending_load(box, to.topic);
    if (pending) {
        const auto result = result_of(box, *pending);
        if (!result && !was_refused(box, *pending)) return std::nullopt;
        if (result) remember(box, to.topic, *result);
    }
    const Begun begun{make_uuid7(now, random), last_sequence(box, to.topic) + 1};
    const bool none = records.empty();
    const client::Load load{to.of,    mode,   begun.sequence,     to.scope,
                            to.topic, source, std::move(records), none};
    box.set_fact(pending_fact(to.topic), to_hex(begun.load));
    box.enqueue(client::drafts_of(load, begun.load), load_mark(to_hex(begun.load)));
    return begun;
}

LoadState load_state(const client::Box& box, const std::string& topic) {
    const auto pending = pending_load(box, topic);
    if (!pending) return LoadState::none;
    if (const auto result = result_of(box, *pending))
        return result->code == schemas::FileCode::all_loaded ? LoadState::loaded : LoadState::refused;
    return was_refused(box, *pending) ? LoadState::refused : LoadState::waits;
}

int report_unsent(schemas::FileCode code, const std::string& why, const LoadOptions& options,
                  std::ostream& out) {
    write_rejects(rejects_file_of(options.file), {
                                                     {0, false, why, {}}
    });
    return say_unsent(code, why, options, out);
}

int send_load(Desk& desk, const Destination& to, Prepared prepared, const LoadOptions& options,
              std::ostream& out, std::optional<schemas::FileCode>* code) {
    const auto rejects_file = rejects_file_of(options.file);
    write_rejects(rejects_file, prepared.rejects);
    if (prepared.records.empty() && !options.none) {
        if (code != nullptr) *code = schemas::FileCode::none_loaded;
        return say_unsent(schemas::FileCode::none_loaded,
                          "No row of " + options.file.string() + " can be loaded; nothing was sent.", options,
                          out);
    }
    finish_pending(desk, to.topic, options.patience);
    const auto sequence = options.sequence.value_or(last_sequence(desk.box(), to.topic) + 1);
    const auto rows_rejected =
        std::ranges::count_if(prepared.rejects, [](const Reject& reject) { return !reject.used; });
    // A full load takes off the list whoever is not in it, and a misprint must not take anybody off.
    const bool as_delta = options.mode == schemas::LoadMode::full && rows_rejected > 0;
    const client::Load load{to.of,
                            as_delta ? schemas::LoadMode::delta : options.mode,
                            sequence,
                            to.scope,
                            to.topic,
                            options.file.filename().string(),
                            std::move(prepared.records),
                            options.none};
    Answer answer = send_and_wait(desk, load, options);
    if (answer.result)
        answer.result->code = code_of_file(answer.result->code, static_cast<std::size_t>(rows_rejected));
    if (code != nullptr && answer.result) *code = answer.result->code;

    json report = report_of(prepared, answer, sequence);
    report["rows_rejected"] = rows_rejected;
    report["sent_as_delta"] = as_delta;
    if (answer.result) add_results(prepared, *answer.result);
    write_rejects(rejects_file, prepared.rejects);
    if (!prepared.rejects.empty()) report["rejects_file"] = rejects_file.string();
    if (options.json)
        out << report.dump(1, ' ', false, json::error_handler_t::replace) << "\n";
    else
        tell(report, answer, out);
    if (options.none && !options.json && answer.result && loaded_something(answer.result->code))
        out << "Nobody is on the list now.\n";
    return answer.result && loaded_something(answer.result->code) ? 0 : 1;
}

}  // namespace flagpost::desk
