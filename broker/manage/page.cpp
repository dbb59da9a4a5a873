#include "broker/manage/page.h"

#include <date/date.h>

#include <algorithm>
#include <cmath>
#include <kainjow/mustache.hpp>
#include <tuple>

#include "broker/standing/report.h"
#include "broker/standing/thresholds.h"

namespace flagpost::manage {
namespace {

using kainjow::mustache::data;
using Cells = std::vector<std::string>;

constexpr std::string_view page_text = R"html(<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<title>{{headline}} - Flagpost broker</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/status.css">
</head>
<body>
<main>
<h1>{{headline}}</h1>
<p>Taken at {{at}}. Running since {{started}}. <a href="/status">Look again</a></p>
{{#tables}}<h2>{{heading}}</h2>
{{#none}}<p>{{none_words}}</p>{{/none}}
{{#some}}<table>
<caption class="hidden">{{heading}}</caption>
<thead><tr>{{#heads}}<th scope="col">{{head}}</th>{{/heads}}</tr></thead>
<tbody>{{#rows}}<tr>{{#first}}<th scope="row">{{#tagged}}<strong class="tag {{tag_style}}">{{tag}}</strong> {{/tagged}}{{cell}}</th>{{/first}}{{#rest}}<td><span class="label" aria-hidden="true">{{label}}</span>{{cell}}</td>{{/rest}}</tr>
{{/rows}}</tbody>
</table>{{/some}}
{{#has_more}}<p>{{more}}</p>{{/has_more}}
{{/tables}}
</main>
<footer><p>The same for programs: <a href="/status.json">/status.json</a>, <a href="/metrics">/metrics</a>, <a href="/statistics.csv">/statistics.csv</a>, <a href="/healthz">/healthz</a></p></footer>
</body>
</html>
)html";

std::string time_of(const std::optional<Instant>& instant) {
    if (!instant) return "Not known";
    return date::format("%F %T UTC", std::chrono::floor<std::chrono::seconds>(*instant));
}

/// "in 26 days", "3 hours ago".
std::string ends(const std::optional<Instant>& end, Instant now) {
    if (!end) return "Not known";
    return *end > now ? "In " + standing::words_of(*end - now)
                      : "Ended " + standing::words_of(now - *end) + " ago";
}

std::string ago(const std::optional<Instant>& instant, Instant now) {
    if (!instant) return "Not since the start";
    return standing::words_of(std::max(now - *instant, Instant::duration{0})) + " ago";
}

std::string of(std::uint64_t used, std::uint64_t limit) {
    return std::to_string(used) + " of " + std::to_string(limit);
}

std::string mib(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

/// One table of the page; a row's first cell may have a tag.
class Table {
public:
    Table(std::string heading, Cells heads, std::string none = "None.")
        : heading_{std::move(heading)}, heads_{std::move(heads)}, none_{std::move(none)} {}

    void row(const Cells& cells, const std::string& tag = {}, const std::string& style = {}) {
        data first{data::type::object}, rest{data::type::list}, all{data::type::object};
        first.set("cell", cells.front());
        first.set("tagged", !tag.empty());
        first.set("tag", tag);
        first.set("tag_style", style);
        for (std::size_t i = 1; i < cells.size(); ++i) {
            data cell{data::type::object};
            cell.set("label", heads_[i]);
            cell.set("cell", cells[i]);
            rest.push_back(cell);
        }
        all.set("first", first);
        all.set("rest", rest);
        rows_.push_back(all);
        ++count_;
    }
    void more(std::string words) { more_ = std::move(words); }

    data value() const {
        data heads{data::type::list}, all{data::type::object};
        for (const auto& each : heads_) {
            data head{data::type::object};
            head.set("head", each);
            heads.push_back(head);
        }
        all.set("heading", heading_);
        all.set("none", count_ == 0);
        all.set("none_words", none_);
        all.set("some", count_ > 0);
        all.set("heads", heads);
        all.set("rows", rows_);
        all.set("has_more", !more_.empty());
        all.set("more", more_);
        return all;
    }

private:
    std::string heading_;
    Cells heads_;
    std::string none_, more_;
    data rows_{data::type::list};
    std::size_t count_ = 0;
};

Table alarms_table(const std::vector<standing::Alarm>& alarms) {
    Table table{
        "What needs somebody", {"What", "Since", "Owner", "What to do"},
         "Nothing."
    };
    for (const auto& alarm : alarms) {
        const bool now = alarm.urgency == standing::Urgency::now;
        table.row({alarm.what, time_of(alarm.since), alarm.owner, alarm.to_do}, now ? "Now" : "Soon",
                  now ? "tag-now" : "tag-soon");
    }
    return table;
}

/// Those longest away first.
Table peers_table(const standing::Standing& standing) {
    std::vector<const standing::Peer*> peers;
    for (const auto& peer : standing.peers) peers.push_back(&peer);
    std::ranges::stable_sort(peers, {}, [](const standing::Peer* peer) {
        return std::tuple{peer->sessions > 0, peer->seen.value_or(Instant::min())};
    });
    Table table{
        "Peers", {"Who", "Agency", "Last seen", "Certificate ends", "Cosigned last"}
    };
    const auto left = peers.size() - std::min(peers.size(), standing::named_max);
    peers.resize(peers.size() - left);
    for (const auto* peer : peers) {
        const bool here = peer->sessions > 0;
        table.row({peer->name, peer->agency, here ? "Now" : ago(peer->seen, standing.at),
                   ends(peer->certificate_ends, standing.at),
                   peer->witness ? ago(peer->cosigned, standing.at) : "Is no witness"},
                  here             ? "Connected"
                  : peer->expected ? "Away"
                                   : "Away, not expected",
                  here ? "tag-well" : "tag-away");
    }
    if (left > 0) table.more("and " + std::to_string(left) + " more");
    return table;
}

Table feeds_table(const standing::Standing& standing) {
    Table table{
        "Feeds", {"List", "Loaded last", "At"},
         "No list of children was loaded yet."
    };
    for (const auto& feed : standing.feeds)
        table.row({"Flags of " + feed.la, ago(feed.applied, standing.at), time_of(feed.applied)});
    for (std::size_t at = 0; at < std::min(standing.rolls.size(), standing::named_max); ++at) {
        const auto& roll = standing.rolls[at];
        table.row({(roll.not_in_school ? "Children not in school of " : "Roll of ") + roll.agency,
                   ago(roll.applied, standing.at), time_of(roll.applied)});
    }
    if (standing.rolls.size() > standing::named_max)
        table.more("and " + std::to_string(standing.rolls.size() - standing::named_max) + " more");
    return table;
}

Table volumes_table(const standing::Standing& standing) {
    Table table{
        "Volumes", {"Topic", "Came", "Expected", "In", "Watched for"},
         "Nothing has come yet."
    };
    for (std::size_t at = 0; at < std::min(standing.volumes.size(), standing::named_max); ++at) {
        const auto& volume = standing.volumes[at];
        const std::string days = std::to_string(std::llround(std::floor(volume.history_days))) + " days";
        if (volume.window.count() == 0)
            table.row({volume.topic, "Not judged: too little to go by", "", "", days});
        else
            table.row({volume.topic, std::to_string(volume.observed),
                       "About " + std::to_string(std::llround(volume.expected)),
                       standing::words_of(volume.window), days},
                      volume.low ? "Low" : "", "tag-away");
    }
    if (standing.volumes.size() > standing::named_max)
        table.more("and " + std::to_string(standing.volumes.size() - standing::named_max) + " more");
    return table;
}

Table owed_table(const standing::Standing& standing) {
    Table table{
        "Notices nobody has closed", {"State", "How many"}
    };
    const auto& owed = standing.obligations;
    table.row({"Open", std::to_string(owed.open)});
    table.row({"Due within the hour", std::to_string(owed.due_soon)});
    table.row({"Overdue", std::to_string(owed.overdue)});
    table.row({"Could not be stored by their recipient", std::to_string(standing.dead_letters.count)});
    return table;
}

Table room_table(const standing::Standing& standing) {
    Table table{
        "Room", {"What", "Used, of its limit"}
    };
    for (const auto& queue : standing::queues(standing)) table.row({queue.name, of(queue.used, queue.limit)});
    if (const auto& disk = standing.disk) {
        table.row({"Free disk", mib(disk->free) + " of " + mib(disk->total)});
        table.row({"Kept back for acknowledgements", mib(disk->reserve)});
    }
    return table;
}

Table log_table(const standing::Standing& standing) {
    Table table{
        "Log, store and clock", {"What", "How it stands"}
    };
    const auto& log = standing.log;
    const auto witnesses = std::ranges::count_if(standing.peers, &standing::Peer::witness);
    const auto cosigning = std::ranges::count_if(
        standing.peers, [](const auto& peer) { return peer.witness && peer.cosigned.has_value(); });
    table.row({"Entries", std::to_string(log.size)});
    table.row({"Covered by the newest signed head", std::to_string(log.signed_size)});
    table.row({"Head signed", ago(log.signed_at, standing.at)});
    table.row({"Last commit", ago(log.committed_at, standing.at)});
    table.row({"Witnesses that have cosigned since the start",
               of(static_cast<std::uint64_t>(cosigning), static_cast<std::uint64_t>(witnesses))});
    table.row({"The broker's certificate ends", ends(standing.certificate_ends, standing.at)});
    table.row({"The revocation list ends", ends(standing.revocation_list_ends, standing.at)});
    if (standing.clock)
        table.row(
            {"Clock", (standing.clock->synchronised ? "Kept right, at most " : "Not kept right, perhaps ") +
                          std::to_string(standing.clock->error_max.count() / 1000) + " ms wrong"});
    if (standing.clock_held) table.row({"Expiry and escalation", "Held: the clock jumped ahead"});
    return table;
}

}  // namespace

// Colours at least 4.5 : 1 on what they stand on.
const std::string_view status_styles = R"css(
body { margin: 0; font: 16px/1.4 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; color: #0b0c0c; background: #fff; }
main, footer { max-width: 1100px; margin: 0 auto; padding: 10px 15px; }
h1 { font-size: 32px; margin: 10px 0; } h2 { font-size: 22px; margin: 25px 0 5px; }
a { color: #1a65a6; } a:focus { outline: 3px solid transparent; background: #fd0; color: #0b0c0c; box-shadow: 0 -2px #fd0, 0 4px #0b0c0c; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid #cecece; overflow-wrap: anywhere; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.label { display: none; font-weight: 700; }
.tag { display: inline-block; padding: 0 6px; border: 1px solid; }
.tag-now { background: #ca3535; color: #fff; border-color: #ca3535; } .tag-soon { background: #ffe6a8; } .tag-well { background: #cce8d7; }
@media (max-width: 40em) {
  table, tbody, tr, th, td { display: block; } thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  th, td { border: 0; padding: 2px 0; } tr { border-bottom: 2px solid #0b0c0c; padding: 6px 0; } .label { display: block; }
}
)css";

std::string status_page(const standing::Standing& standing, const std::vector<standing::Alarm>& alarms,
                        bool current) {
    data page{data::type::object}, tables{data::type::list};
    page.set("headline", current ? standing::headline(alarms.size())
                                 : "The broker says nothing any more: what stands below is old");
    page.set("at", time_of(standing.at));
    page.set("started", time_of(standing.started));
    for (const auto& table :
         {alarms_table(alarms), peers_table(standing), feeds_table(standing), volumes_table(standing),
          owed_table(standing), room_table(standing), log_table(standing)})
        tables.push_back(table.value());
    page.set("tables", tables);
    kainjow::mustache::mustache text{std::string{page_text}};
    return text.render(page);
}

}  // namespace flagpost::manage
