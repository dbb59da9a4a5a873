#include "adapters/social_care/flag_pages.h"

#include <algorithm>
#include <charconv>

#include "adapters/client/text.h"
#include "adapters/desk/words.h"
#include "adapters/web/parts.h"
#include "adapters/web/when.h"
#include "broker/crypto/keys.h"

namespace flagpost::social_care {
namespace {

using schemas::LoadMode;
using web::Page;
using web::Response;
using web::View;
using web::Visit;

const std::set<std::string> feeders{"feeder"};
constexpr std::size_t loads_shown = 25, rejects_shown = 25;
constexpr auto code_column = "ResultCode", reason_column = "ResultReason";
constexpr auto loaded_code = "CPR06", refused_code = "CPR07";  // record codes of CP-IS

std::string counted(std::uint64_t number, const char* one, const char* many) {
    return std::to_string(number) + " " + (number == 1 ? one : many);
}

std::string mode_in_words(LoadMode mode) { return mode == LoadMode::full ? "Whole list" : "Changes only"; }

std::string capital(std::string text) { return web::capital(std::move(text)); }

/// The result, with its code beside it.
View result_tag(const FlagLoad& load) {
    switch (load.step) {
        case LoadStep::preview:
            return web::tag("Nothing changed yet", "grey");
        case LoadStep::waits:
            return web::tag("Waits for a second person", "yellow");
        case LoadStep::sent:
            return web::tag("Sent, not answered yet", "");
        case LoadStep::discarded:
            return web::tag("Discarded", "grey");
        case LoadStep::finished:
            break;
    }
    if (!load.code) return web::tag("Refused", "red");
    switch (desk::code_of_file(*load.code, load.rejected)) {
        case schemas::FileCode::all_loaded:
            return web::tag("Loaded, CPF02", "green");
        case schemas::FileCode::some_loaded:
            return web::tag("Partly loaded, CPF03", "orange");
        default:
            return web::tag("Not loaded, " + desk::file_code(*load.code), "red");
    }
}

std::string number_of(const std::string& text, std::optional<std::uint64_t>& number) {
    const auto given = client::trimmed(text);
    if (given.empty()) return {};
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
    if (error != std::errc{} || end != given.data() + given.size()) return "should be a whole number";
    number = value;
    return {};
}

std::string out_of_order(std::uint64_t expected, std::uint64_t given) {
    std::string words =
        "Number " + std::to_string(expected) + " expected; this says " + std::to_string(given) + ".";
    if (given == expected + 1) words += " Load " + std::to_string(expected) + " is missing.";
    if (given > expected + 1)
        words += " Loads " + std::to_string(expected) + " to " + std::to_string(given - 1) + " are missing.";
    return words;
}

std::string csv_cell(const std::string& cell) {
    if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
    std::string out = "\"";
    for (const char c : cell) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + "\"";
}

struct RowResult {
    std::string code, reason;
};

/// What became of each line.
std::map<std::uint64_t, RowResult> results_by_line(const FlagFile& file, const FlagLoad& load,
                                                   const std::optional<schemas::LoadResultValue>& result) {
    std::map<std::uint64_t, RowResult> results;
    const bool answered = load.step == LoadStep::finished && result;
    const bool taken = answered && desk::loaded_something(result->code);
    for (const auto line : file.prepared.lines)
        results[line] = {taken ? loaded_code : "",
                         answered && !taken ? "Nothing of this load was taken." : ""};
    for (const auto& reject : file.prepared.rejects) {
        auto& row = results[reject.line];
        row.reason = reject.reason;
        if (!reject.used) row.code = refused_code;
    }
    if (answered)
        for (const auto& one : result->results) {
            if (one->ok || one->number == 0 || one->number > file.prepared.lines.size()) continue;
            results[file.prepared.lines[one->number - 1]] = {refused_code,
                                                             "Flagpost refused it: " + one->where};
        }
    return results;
}

std::string csv_rows(const std::string& bytes, const std::map<std::uint64_t, RowResult>& results) {
    const auto csv = client::CsvFile::parse(bytes);
    if (!csv) return {};
    std::string out;
    for (const auto& column : csv->header())
        if (column != code_column && column != reason_column) out += csv_cell(column) + ",";
    out += std::string{code_column} + "," + reason_column + "\n";
    const auto add = [&](std::uint64_t line, const std::map<std::string, std::string>* cells) {
        for (const auto& column : csv->header()) {
            if (column == code_column || column == reason_column) continue;
            out += (cells == nullptr ? "" : csv_cell(cells->at(column))) + ",";
        }
        const auto found = results.find(line);
        const RowResult result = found == results.end() ? RowResult{} : found->second;
        out += result.code + "," + csv_cell(result.reason) + "\n";
    };
    auto bad = csv->bad_rows().begin();
    const auto add_bad_before = [&](std::uint64_t line) {
        for (; bad != csv->bad_rows().end() && bad->line < line; ++bad) add(bad->line, nullptr);
    };
    for (const auto& row : csv->rows()) {
        add_bad_before(row.line);
        add(row.line, &row.cells);
    }
    add_bad_before(UINT64_MAX);
    return out;
}

std::string plain_rows(const FlagFile& file, const std::map<std::uint64_t, RowResult>& results) {
    std::map<std::uint64_t, std::string> keys;
    for (std::size_t i = 0; i < file.prepared.lines.size(); ++i)
        keys.emplace(file.prepared.lines[i], file.prepared.keys[i]);
    std::string out = std::string{"Line,LAchildID,"} + code_column + "," + reason_column + "\n";
    for (const auto& [line, result] : results)
        out += std::to_string(line) + "," + csv_cell(keys.contains(line) ? keys.at(line) : "") + "," +
               result.code + "," + csv_cell(result.reason) + "\n";
    return out;
}

View count_row(const std::string& what, std::uint64_t count, const std::string& means) {
    return View{}.text("count_what", what).text("count", std::to_string(count)).text("count_means", means);
}

std::vector<View> count_rows(const FlagLoad& load) {
    const auto& changes = load.changes;
    std::vector<View> rows{
        count_row("New", changes.fresh, "Flagged from now on"),
        count_row("Changed", changes.changed, "Flagged before, with other details"),
        count_row("Ended", changes.ended,
                  load.sent_as() == LoadMode::full
                      ? "The plan has ended, or the child is not in the list any more"
                      : "The plan has ended"),
        count_row("Deleted as wrong", changes.deleted,
                  "Should never have been flagged; forces are told to forget"),
        count_row("Same", changes.same, "Nothing new"),
        count_row("Rejected", load.rejected, "Cannot be loaded, see below"),
    };
    if (load.format != FlagFormat::csv)
        rows.push_back(count_row("No flag", load.without_flag, "No plan and not looked after: not sent"));
    return rows;
}

View reject_row(std::uint64_t line, const std::string& reason) {
    const auto colon = reason.find(": ");
    return View{}
        .text("reject_line", line == 0 ? "File" : std::to_string(line))
        .text("reject_field", colon == std::string::npos ? "Row" : desk::printable(reason.substr(0, colon)))
        .text("reject_reason",
              desk::printable(colon == std::string::npos ? reason : reason.substr(colon + 2)));
}

}  // namespace

std::string why_two(const FlagLoad& load, std::uint32_t shrink_percent_max) {
    if (load.changes.no_longer() * 100 > load.changes.standing * std::uint64_t{shrink_percent_max})
        return "This load would end more than " + std::to_string(shrink_percent_max) +
               "% of the flags that stand: " + std::to_string(load.changes.no_longer()) + " of " +
               std::to_string(load.changes.standing) + ".";
    if (load.declared && *load.declared != load.records)
        return "The file has " + counted(load.records, "record", "records") + ", not the " +
               std::to_string(*load.declared) + " that were declared.";
    return {};
}

std::string results_csv(const FlagFile& file, const std::string& bytes, const FlagLoad& load,
                        const std::optional<schemas::LoadResultValue>& result) {
    const auto results = results_by_line(file, load, result);
    return file.format == FlagFormat::csv ? csv_rows(bytes, results) : plain_rows(file, results);
}

FlagPages::FlagPages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal,
                     FlagBook& book, FlagPageSettings settings)
    : site_{site},
      reader_{reader},
      handover_{handover},
      journal_{journal},
      book_{book},
      settings_{std::move(settings)},
      topic_{"flags/" + settings_.la} {
    site_.get("/flags", feeders, [this](const Visit& visit) { return list(visit); });
    site_.get("/flags/upload", feeders, [this](const Visit& visit) { return ask(visit, {}); });
    site_.post_file("/flags/upload", feeders, [this](const Visit& visit) { return upload(visit); });
    site_.get("/flags/loads/{n}", feeders, [this](const Visit& visit) { return show(visit, {}); });
    site_.get("/flags/loads/{n}/results", feeders, [this](const Visit& visit) { return results(visit); });
    site_.post("/flags/loads/{n}/apply", feeders, [this](const Visit& visit) { return apply(visit); });
    site_.post("/flags/loads/{n}/discard", feeders, [this](const Visit& visit) { return discard(visit); });
}

void FlagPages::settle(const Visit& visit) {
    reader_.read([&](const client::Box& box) { book_.settle(box, visit.now); });
}

std::optional<FlagLoad> FlagPages::find(const Visit& visit) {
    settle(visit);
    std::int64_t number = 0;
    const std::string& text = visit.part("n");
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return book_.find(number);
}

std::uint64_t FlagPages::next_sequence() {
    return reader_.read([&](const client::Box& box) { return desk::next_sequence(box, topic_); });
}

std::optional<schemas::LoadResultValue> FlagPages::result_of(const FlagLoad& load) {
    if (load.step != LoadStep::finished) return std::nullopt;
    return reader_.read([&](const client::Box& box) { return desk::result_of(box, load.load); });
}

Result<FlagFile> FlagPages::read(const LoadContent& content, Instant now) const {
    std::optional<ChildDetails> details;
    if (!content.details.empty()) {
        auto parsed = ChildDetails::parse(content.details);
        if (!parsed) return tl::unexpected{parsed.error()};
        details = std::move(*parsed);
    }
    return read_flag_file(content.file, {settings_.la, settings_.dfe_la, desk::local_day(now), std::nullopt,
                                         details ? &*details : nullptr});
}

void FlagPages::note(const Visit& visit, const FlagLoad& load, const std::string& what) {
    journal_.note({"flags/" + std::to_string(load.number), what, visit.person.name, visit.person.called,
                   std::to_string(load.records) + " records", visit.now});
}

// --- the list of loads

Response FlagPages::list(const Visit& visit) {
    settle(visit);
    Page page{"flags", "Flags we send"};
    page.section = "/flags";
    page.section_itself = true;
    const auto standing = static_cast<std::uint64_t>(
        std::ranges::count_if(book_.list(), [](const auto& each) { return each.second.stands(); }));
    const auto last = book_.last_applied();
    const auto age = last ? visit.now - last->finished : Instant::duration::zero();
    const bool late = !last || age > std::chrono::hours{settings_.flag_list_hours_max};
    std::string words = "No list was loaded from here yet.";
    if (last)
        words = "The list was loaded " +
                (age < std::chrono::minutes{1}
                     ? std::string{"less than a minute"}
                     : desk::duration_in_words(std::chrono::duration_cast<std::chrono::seconds>(age))) +
                " ago (" + web::near(last->finished, visit.now) + "). " +
                counted(standing, "child is", "children are") + " flagged.";
    std::vector<View> rows;
    for (const FlagLoad& load : book_.recent(loads_shown)) {
        const std::string who =
            load.by_called +
            (load.second.empty() || load.second == load.by ? "" : ", applied by " + load.second_called);
        rows.push_back(
            View{}
                .text("load_path", "/flags/loads/" + std::to_string(load.number))
                .text("load_number",
                      load.sequence == 0 ? "Not sent" : "Number " + std::to_string(load.sequence))
                .text("load_file", desk::printable(load.file_name))
                .text("load_when", capital(web::near(load.at, visit.now)))
                .text("load_who", desk::printable(who))
                .text("load_mode", mode_in_words(load.mode))
                .text("load_counts", (load.declared ? std::to_string(*load.declared) + " declared, " : "") +
                                         std::to_string(load.records) + " in the file, " +
                                         std::to_string(load.accepted) + " loaded, " +
                                         std::to_string(load.rejected + load.refused) + " rejected")
                .list("load_result", {result_tag(load)}));
    }
    page.view.text("age_words", words)
        .text("limit_words",
              "It should be no older than " + counted(settings_.flag_list_hours_max, "hour", "hours") + ".")
        .flag("too_old", late)
        .text("next_number", std::to_string(next_sequence()))
        .flag("no_loads", rows.empty())
        .text("loads_caption", "Loads, the newest first (" + std::to_string(rows.size()) + ")")
        .list("loads", rows);
    if (visit.request.parameter("done") == "discarded") page.success = "Discarded. Nothing was changed.";
    return site_.page(visit, page);
}

// --- upload

Response FlagPages::ask(const Visit& visit, const std::string& error) {
    Page page{"flag-upload", error.empty() ? "Upload a list of flags" : "Error: Upload a list of flags"};
    page.section = "/flags";
    page.back_href = "/flags";
    page.back_text = "Flags we send";
    page.status = error.empty() ? 200 : 422;
    const std::string mode = visit.request.field("mode");
    page.view.maybe("error", error)
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once())
        .flag("full", mode == "full")
        .flag("delta", mode == "delta")
        .text("sequence", visit.request.field("sequence").substr(0, 20))
        .text("count", visit.request.field("count").substr(0, 20))
        .text("next_number", std::to_string(next_sequence()));
    return site_.page(visit, page);
}

Response FlagPages::upload(const Visit& visit) {
    const auto file = visit.request.files.find("file");
    if (file == visit.request.files.end() || file->second.bytes.empty()) return ask(visit, "Choose the file");
    if (file->second.bytes.size() > flag_upload_size_max)
        return ask(visit, "The file must be smaller than 16 MiB");
    const std::string mode = visit.request.field("mode");
    if (mode != "full" && mode != "delta")
        return ask(visit, "Choose whether this is the whole list or changes only");
    std::optional<std::uint64_t> sequence, count;
    if (const auto why = number_of(visit.request.field("sequence"), sequence); !why.empty())
        return ask(visit, "The number of this load " + why);
    if (const auto why = number_of(visit.request.field("count"), count); !why.empty())
        return ask(visit, "The number of records " + why);
    if (const auto expected = next_sequence(); sequence && *sequence != expected)
        return ask(visit, out_of_order(expected, *sequence));
    LoadContent content{file->second.bytes, {}};
    const auto details = visit.request.files.find("details");
    if (details != visit.request.files.end()) content.details = details->second.bytes;

    const auto wanted = mode == "full" ? LoadMode::full : LoadMode::delta;
    const Digest digest = crypto::sha256({view(content.file), view(content.details)});
    settle(visit);
    const auto last = book_.last_applied();
    if (last && last->digest == digest && last->mode == wanted)
        return ask(visit, "Already loaded " + web::moment(last->finished, visit.now) + "; nothing changed");
    auto read_file = read(content, visit.now);
    if (!read_file)
        return ask(visit, desk::file_code(schemas::FileCode::malformed) + ": " +
                              desk::printable(read_file.error().where) + ". Nothing was changed");
    FlagLoad load = load_of(*read_file, wanted);
    load.at = visit.now;
    load.by = visit.person.name;
    load.by_called = visit.person.called;
    load.file_name = client::cut(desk::printable(file->second.name), file_name_size_max);
    load.declared = count;
    load.digest = digest;
    load.changes = changes(book_.list(), list_of(read_file->prepared), load.sent_as());
    load.number = book_.add(load, content);
    note(visit, load, "uploaded");
    return web::redirect("/flags/loads/" + std::to_string(load.number));
}

// --- one load

Response FlagPages::show(const Visit& visit, const std::string& error) {
    const auto load = find(visit);
    if (!load) return site_.not_found(visit);
    const auto content = book_.content(load->number);
    std::vector<View> rejects;
    std::size_t rejected = 0;
    if (content && !content->file.empty()) {
        const auto file = read(*content, visit.now);
        const auto result = result_of(*load);
        const auto add = [&](std::uint64_t line, const std::string& reason) {
            if (++rejected <= rejects_shown) rejects.push_back(reject_row(line, reason));
        };
        if (file) {
            auto all = file->prepared.rejects;
            std::ranges::stable_sort(all, {}, &desk::Reject::line);
            for (const auto& reject : all)
                if (!reject.used) add(reject.line, reject.reason);
        }
        if (file && result)
            for (const auto& one : result->results)
                if (!one->ok && one->number > 0 && one->number <= file->prepared.lines.size())
                    add(file->prepared.lines[one->number - 1], one->where);
    }
    const bool open = load->step == LoadStep::preview || load->step == LoadStep::waits;
    const bool loadable = load->of_nobody() || load->records > load->rejected + load->without_flag;
    const std::string two = open && loadable ? why_two(*load, settings_.shrink_percent_max) : "";
    const bool mine = load->step == LoadStep::waits && load->first == visit.person.name;
    const std::string path = "/flags/loads/" + std::to_string(load->number);
    Page page{"flag-load",
              (error.empty() ? "" : "Error: ") + std::string{"Load of "} + web::near(load->at, visit.now)};
    page.section = "/flags";
    page.back_href = "/flags";
    page.back_text = "Flags we send";
    page.status = error.empty() ? 200 : 422;
    std::vector<View> facts{
        web::fact("File", load->file_name),
        web::fact("Read as",
                  in_words(load->format) + (load->windows_1252 ? ", in Windows-1252" : ", in UTF-8")),
        web::fact("What it is", mode_in_words(load->mode)),
        web::fact("Number", load->sequence == 0 ? "Not sent" : std::to_string(load->sequence)),
        web::fact("Records",
                  std::to_string(load->records) +
                      (load->declared ? ", " + std::to_string(*load->declared) + " declared" : "")),
        web::fact("Uploaded", desk::printable(load->by_called) + ", " + web::near(load->at, visit.now)),
    };
    if (!load->first.empty()) facts.push_back(web::fact("Checked", desk::printable(load->first_called)));
    if (!load->second_called.empty())
        facts.push_back(web::fact("Applied", desk::printable(load->second_called)));
    if (load->step == LoadStep::finished)
        facts.push_back(web::fact(
            "Result",
            (load->code ? capital(desk::in_words(*load->code)) + " (" + desk::file_code(*load->code) + "). "
                        : "") +
                std::to_string(load->accepted) + " loaded, " + std::to_string(load->refused) +
                " refused by Flagpost, " + std::to_string(load->rejected) + " not sent. " +
                desk::printable(load->why)));
    page.view.maybe("error", error)
        .text("path", path)
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once())
        .list("result", {result_tag(*load)})
        .text("heading", page.title.substr(error.empty() ? 0 : 7))
        .flag("open", open)
        .flag("nothing_to_load", open && !loadable)
        .flag("empty_list", open && !loadable && load->has_no_flags())
        .flag("of_nobody", open && load->of_nobody())
        .flag("as_delta", load->as_delta && (loadable || !open))
        .list("facts", facts)
        .list("counts", count_rows(*load))
        .maybe("two", two)
        .text("tick", "I have checked: " + counted(load->changes.no_longer(), "child", "children") +
                          " will no longer be flagged")
        .flag("asks_tick", !two.empty() && load->step == LoadStep::preview)
        .flag("waits_for_other", mine)
        .text("checked_by", load->step == LoadStep::waits ? desk::printable(load->first_called) : "")
        .flag("waits_for_you", load->step == LoadStep::waits && !mine)
        .flag("may_apply", open && loadable && !mine)
        .text("apply_words",
              !two.empty() && load->step == LoadStep::preview ? "Confirm, and ask a second person" : "Apply")
        .flag("rejected_any", !rejects.empty())
        .text("rejects_caption", rejected > rejects.size()
                                     ? "The first " + std::to_string(rejects.size()) + " of " +
                                           std::to_string(rejected) + " rejected rows"
                                     : "Rejected rows (" + std::to_string(rejected) + ")")
        .list("rejects", rejects)
        .flag("results_kept", content && !content->file.empty());
    const std::string done = visit.request.parameter("done");
    if (done == "checked") page.success = "Checked. A second person must apply it; nothing has changed yet.";
    if (done == "applied" && load->step == LoadStep::sent)
        page.success = handover_.connection().connected
                           ? "Sent. The result will be here in a moment; load this page again."
                           : "Kept. It is sent when Flagpost can be reached again; nothing has changed yet.";
    return site_.page(visit, page);
}

Response FlagPages::results(const Visit& visit) {
    const auto load = find(visit);
    const auto content = load ? book_.content(load->number) : std::nullopt;
    if (!content || content->file.empty()) return site_.not_found(visit);
    const auto file = read(*content, visit.now);
    if (!file) return site_.not_found(visit);
    note(visit, *load, "downloaded");
    Response response;
    response.type = "text/csv; charset=utf-8";
    response.body = results_csv(*file, content->file, *load, result_of(*load));
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"flags-load-" +
                                                             std::to_string(load->number) + "-results.csv\"");
    return response;
}

Response FlagPages::apply(const Visit& visit) {
    const auto load = find(visit);
    if (!load) return site_.not_found(visit);
    const std::string path = "/flags/loads/" + std::to_string(load->number);
    if (load->step != LoadStep::preview && load->step != LoadStep::waits) return web::redirect(path);
    const auto content = book_.content(load->number);
    auto file = content ? read(*content, visit.now) : refuse(Reason::not_found, "file");
    if (!file || (file->prepared.records.empty() && !load->of_nobody())) return web::redirect(path);
    const Changes by_now = changes(book_.list(), list_of(file->prepared), load->sent_as());
    if (by_now != load->changes) {
        book_.recount(load->number, by_now);
        return site_.message(
            visit, 409, "The list has changed meanwhile",
            "Another load was applied since this one was looked at. Nothing was changed. Open it "
            "again and look at the new numbers.");
    }
    const bool two = !why_two(*load, settings_.shrink_percent_max).empty();
    if (two && load->step == LoadStep::preview) {
        if (visit.request.field("checked") != "yes")
            return show(visit,
                        "Tick the box if you have checked how many children will no longer be flagged");
        if (book_.check(load->number, visit.person.name, visit.person.called)) note(visit, *load, "checked");
        return web::redirect(path + "?done=checked");
    }
    if (two && load->first == visit.person.name)
        return site_.message(
            visit, 409, "A second person has to apply this",
            "You have checked this load. Because of how many flags it ends, somebody else has to "
            "apply it. Nothing was changed.");
    return send(visit, *load, std::move(*file));
}

Response FlagPages::send(const Visit& visit, const FlagLoad& load, FlagFile file) {
    const std::string path = "/flags/loads/" + std::to_string(load.number);
    if (!book_.claim(load.number, load.step, visit.person.name, visit.person.called, list_of(file.prepared),
                     file.prepared.keys))
        return web::redirect(path);  // somebody did so at the same moment
    // Shared: where it takes too long, the page has gone when it is done.
    const auto records = std::make_shared<std::vector<Bytes>>(std::move(file.prepared.records));
    const bool done = handover_.carry_out([this, load, records, now = visit.now](client::Box& box) {
        crypto::SystemRandom random;
        const auto begun = desk::begin_load(box, now, random, {schemas::LoadOf::flags, topic_, ""},
                                            std::move(*records), load.file_name, load.sent_as());
        if (!begun) throw std::runtime_error{"an earlier list has not been answered yet"};
        book_.sent_as(load.number, begun->load, begun->sequence);
    });
    const auto now_is = book_.find(load.number);
    if (!done && now_is && now_is->load == Id16{}) {
        book_.unclaim(load.number, load.step);
        return site_.message(
            visit, 503, "Not applied yet",
            "An earlier load has no answer from Flagpost yet, or this took too long. Nothing was "
            "changed. Try again in a minute.");
    }
    note(visit, load, "applied");
    return web::redirect(path + "?done=applied");
}

Response FlagPages::discard(const Visit& visit) {
    const auto load = find(visit);
    if (!load) return site_.not_found(visit);
    if (!book_.discard(load->number)) return web::redirect("/flags/loads/" + std::to_string(load->number));
    note(visit, *load, "discarded");
    return web::redirect("/flags?done=discarded");
}

}  // namespace flagpost::social_care
