#include "broker/agreement/agreement.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include "broker/agreement/fields.h"
#include "broker/agreement/topics.h"
#include "broker/core/limits.h"
#include "broker/crypto/digest.h"

namespace flagpost::agreement {

struct Agreement::Content {
    Digest digest{};
    std::string partnership;
    std::map<AgencyId, Party> parties;
    std::map<std::string, AgencyId, std::less<>> forces;  // by the authority whose area is theirs
    std::vector<Rule> rules;
    std::vector<Retention> retentions;
    std::optional<AgencyId> dead_letters;
};

namespace {

// Every refusal of the text leaves through here: file, line, then what is wrong.
tl::unexpected<Refusal> refuse_at(const toml::source_region& place, const std::string& what) {
    return refuse(Reason::invalid_value, "agreement.toml:" + std::to_string(place.begin.line) + ": " + what);
}

// One table of the file being read: each key is taken once, and what was never asked for is refused at the end.
class Reader {
public:
    Reader(const toml::table& table, std::string what) : table_{table}, what_{std::move(what)} {}

    Result<std::string> text(std::string_view key) {
        const toml::node* node = take(key);
        if (node == nullptr) return missing(key);
        const auto* value = node->as_string();
        if (value == nullptr) return wrong(*node, key, "is not a text");
        if (value->get().empty() || value->get().size() > limits::spiffe_id_size_max)
            return wrong(*node, key, "is empty or too long");
        return value->get();
    }

    Result<std::vector<std::string>> texts(std::string_view key, std::size_t count_max) {
        const toml::node* node = take(key);
        if (node == nullptr) return missing(key);
        const auto* list = node->as_array();
        if (list == nullptr) return wrong(*node, key, "is not a list");
        if (list->size() > count_max) return wrong(*node, key, "has too many entries");
        std::vector<std::string> values;
        for (const auto& item : *list) {
            const auto* value = item.as_string();
            if (value == nullptr || value->get().empty() || value->get().size() > limits::name_size_max)
                return wrong(item, key, "holds what is no short text");
            if (std::ranges::find(values, value->get()) != values.end())
                return wrong(item, key, "names " + value->get() + " twice");
            values.push_back(value->get());
        }
        return values;
    }

    /// The inline tables of a list.
    Result<std::vector<const toml::table*>> tables(std::string_view key, std::size_t count_max) {
        const toml::node* node = take(key);
        const auto* list = node == nullptr ? nullptr : node->as_array();
        if (list == nullptr || (!list->empty() && !list->is_array_of_tables()))
            return wrong(*node, key, "is not a list of tables");
        if (list->size() > count_max) return wrong(*node, key, "has too many entries");
        std::vector<const toml::table*> tables;
        for (const auto& item : *list) tables.push_back(item.as_table());
        return tables;
    }

    bool has(std::string_view key) const { return table_.contains(key); }
    toml::source_region place(std::string_view key) const { return table_.get(key)->source(); }

    Result<void> nothing_else() const {
        for (const auto& [key, node] : table_)
            if (std::ranges::find(taken_, key.str()) == taken_.end())
                return wrong(node, key.str(), "is unknown");
        return {};
    }

    tl::unexpected<Refusal> wrong(std::string_view key, const std::string& how) const {
        return wrong(*table_.get(key), key, how);
    }

private:
    const toml::node* take(std::string_view key) {
        taken_.emplace_back(key);
        return table_.get(key);
    }
    tl::unexpected<Refusal> missing(std::string_view key) const {
        return refuse_at(table_.source(), what_ + ": " + std::string{key} + " is missing");
    }
    tl::unexpected<Refusal> wrong(const toml::node& node, std::string_view key,
                                  const std::string& how) const {
        return refuse_at(node.source(), what_ + ": " + std::string{key} + " " + how);
    }

    const toml::table& table_;
    std::string what_;
    std::vector<std::string> taken_;
};

Result<AgencyId> agency_in(Reader& reader, std::string_view key) {
    auto value = reader.text(key);
    if (!value) return tl::unexpected{value.error()};
    auto agency = AgencyId::parse(*value);
    if (!agency) return reader.wrong(key, "is no agency (" + agency.error().where + ")");
    return agency;
}

// "30m", "24h" or "5d".
std::optional<std::chrono::minutes> duration_in(std::string_view text) {
    if (text.size() < 2 || text.size() > 5) return std::nullopt;
    int amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size() - 1, amount);
    if (error != std::errc{} || end != text.data() + text.size() - 1 || amount <= 0) return std::nullopt;
    switch (text.back()) {
        case 'm':
            return std::chrono::minutes{amount};
        case 'h':
            return std::chrono::hours{amount};
        case 'd':
            return std::chrono::hours{24 * amount};
        default:
            return std::nullopt;
    }
}

Result<std::chrono::minutes> duration_of(Reader& reader, std::string_view key) {
    const auto text = reader.text(key);
    if (!text) return tl::unexpected{text.error()};
    const auto minutes = duration_in(*text);
    if (!minutes) return reader.wrong(key, R"(is no duration like "30m", "24h" or "5d")");
    return *minutes;
}

Result<Rung> rung_in(const toml::table& table, const std::string& rule) {
    Reader reader{table, "rule " + rule + ": escalate"};
    Rung rung;
    auto to = reader.text("to");
    if (!to) return tl::unexpected{to.error()};
    static constexpr std::array<std::string_view, 4> known{"again", "education", "social-care", "sender"};
    if (std::ranges::find(known, *to) == known.end())
        return reader.wrong("to", "is none of again, education, social-care and sender");
    rung.to = std::move(*to);
    if (reader.has("after") == reader.has("before_deadline"))
        return refuse_at(table.source(), "rule " + rule + ": escalate needs either after or before_deadline");
    const char* const when = reader.has("after") ? "after" : "before_deadline";
    const auto minutes = duration_of(reader, when);
    if (!minutes) return tl::unexpected{minutes.error()};
    (reader.has("after") ? rung.after : rung.before_deadline) = *minutes;
    if (reader.has("unless")) {
        const auto unless = reader.text("unless");
        if (!unless) return tl::unexpected{unless.error()};
        if (*unless != "stored" && *unless != "opened")
            return reader.wrong("unless", "is neither stored nor opened");
        rung.unless = *unless == "stored" ? Reached::stored : Reached::opened;
    }
    if (auto rest = reader.nothing_else(); !rest) return tl::unexpected{rest.error()};
    return rung;
}

Result<Party> party_in(const toml::table& table) {
    Reader reader{table, "party"};
    auto agency = agency_in(reader, "agency");
    if (!agency) return tl::unexpected{agency.error()};
    auto name = reader.text("name");
    if (!name) return tl::unexpected{name.error()};
    Party party{*agency, *name, {}, {}, {}};
    if (reader.has("acts_for")) {
        const auto others = reader.texts("acts_for", limits::acts_for_max);
        if (!others) return tl::unexpected{others.error()};
        for (const auto& text : *others) {
            auto other = AgencyId::parse(text);
            if (!other)
                return reader.wrong("acts_for", "names what is no agency (" + other.error().where + ")");
            if (*other == *agency) return reader.wrong("acts_for", "names the party itself");
            party.acts_for.push_back(std::move(*other));
        }
        std::ranges::sort(party.acts_for);
    }
    if (reader.has("review_desk")) {
        auto desk = agency_in(reader, "review_desk");
        if (!desk) return tl::unexpected{desk.error()};
        if (agency->kind() != "social-care")
            return reader.wrong("review_desk", "is for social-care parties only");
        party.review_desk = std::move(*desk);
    }
    if (reader.has("areas")) {
        auto areas = reader.texts("areas", limits::acts_for_max);
        if (!areas) return tl::unexpected{areas.error()};
        if (agency->kind() != "police") return reader.wrong("areas", "is for police parties only");
        for (const auto& code : *areas)
            if (!valid_gss_code(code)) return reader.wrong("areas", "names what is no GSS code: " + code);
        party.areas = std::move(*areas);
        std::ranges::sort(party.areas);
    }
    if (auto rest = reader.nothing_else(); !rest) return tl::unexpected{rest.error()};
    return party;
}

Result<Rule> rule_in(const toml::table& table) {
    Reader nameless{table, "share"};
    auto id = nameless.text("id");
    if (!id) return tl::unexpected{id.error()};
    if (id->size() > limits::name_size_max) return nameless.wrong("id", "is too long");

    Reader reader{table, "rule " + *id};
    Rule rule;
    for (const auto& [key, into] : {
             std::pair{"id",        &rule.id       },
             std::pair{"what",      &rule.what     },
             std::pair{"from",      &rule.from     },
             std::pair{"to",        &rule.to       },
             std::pair{"purpose",   &rule.purpose  },
             std::pair{"retention", &rule.retention}
    }) {
        auto value = reader.text(key);
        if (!value) return tl::unexpected{value.error()};
        if (value->size() > limits::name_size_max) return reader.wrong(key, "is too long");
        *into = std::move(*value);
    }
    for (const auto* key : {"from", "to"})
        if (!AgencyId::parse((key == std::string_view{"from"} ? rule.from : rule.to) + "/0"))
            return reader.wrong(key, "is no kind of agency");

    if (!is_shared(rule.what)) return reader.wrong("what", "is no kind of message that is shared");
    const auto names = reader.texts("fields", names_for(rule.what).size());
    if (!names) return tl::unexpected{names.error()};
    for (const auto& name : *names) {
        const auto fields = fields_named(rule.what, name);
        if (fields.empty()) return reader.wrong("fields", "names an unknown field: " + name);
        rule.fields.insert(fields.begin(), fields.end());
    }

    auto basis = reader.texts("legal_basis", limits::leaf_legal_basis_max);
    if (!basis) return tl::unexpected{basis.error()};
    if (basis->empty()) return reader.wrong("legal_basis", "is empty");
    rule.legal_basis = std::move(*basis);

    const auto within = duration_of(reader, "respond_within");
    if (!within) return tl::unexpected{within.error()};
    rule.respond_within = *within;

    if (reader.has("escalate")) {
        const auto rungs = reader.tables("escalate", limits::rungs_max);
        if (!rungs) return tl::unexpected{rungs.error()};
        for (const auto* each : *rungs) {
            auto rung = rung_in(*each, rule.id);
            if (!rung) return tl::unexpected{rung.error()};
            rule.escalate.push_back(std::move(*rung));
        }
    }

    if (auto rest = reader.nothing_else(); !rest) return tl::unexpected{rest.error()};
    return rule;
}

// A class nobody files records under, or a controller who is nobody, would keep for ever what it was meant to end.
Result<Retention> retention_in(const toml::table& table, const std::vector<Rule>& rules) {
    Reader nameless{table, "retention"};
    auto id = nameless.text("id");
    if (!id) return tl::unexpected{id.error()};
    if (id->size() > limits::name_size_max) return nameless.wrong("id", "is too long");

    Reader reader{table, "retention " + *id};
    Retention row;
    row.id = *reader.text("id");
    auto of = reader.text("class");
    if (!of) return tl::unexpected{of.error()};
    if (std::ranges::find(retention_classes, *of) == retention_classes.end() &&
        std::ranges::find(rules, *of, &Rule::retention) == rules.end())
        return reader.wrong("class", "is none that records are kept under: " + *of);
    row.of = std::move(*of);
    if (reader.has("controller")) {
        auto controller = reader.text("controller");
        if (!controller) return tl::unexpected{controller.error()};
        if (!AgencyId::parse(*controller) && !AgencyId::parse(*controller + "/0"))
            return reader.wrong("controller", "is neither an agency nor a kind of agency");
        row.controller = std::move(*controller);
    }
    const auto keep = duration_of(reader, "keep");
    if (!keep) return tl::unexpected{keep.error()};
    row.keep = *keep;
    if (auto rest = reader.nothing_else(); !rest) return tl::unexpected{rest.error()};
    return row;
}

// The tables of [[key]], in the order of the file; empty when the key is absent.
Result<std::vector<const toml::table*>> tables_in(const toml::table& root, std::string_view key,
                                                  std::size_t count_max) {
    std::vector<const toml::table*> tables;
    const toml::node* node = root.get(key);
    if (node == nullptr) return tables;
    const auto* list = node->as_array();
    if (list == nullptr || !list->is_array_of_tables())
        return refuse_at(node->source(), std::string{key} + " is no list of [[" + std::string{key} + "]]");
    if (list->size() > count_max)
        return refuse_at(node->source(), "more [[" + std::string{key} + "]] than this program takes");
    for (const auto& item : *list) tables.push_back(item.as_table());
    return tables;
}

// Whoever a notice is escalated to is told by a rule of their own, with their own fields: without one, nothing goes.
std::optional<std::string> fault_in_ladder(const std::vector<Rule>& rules, const Rule& rule) {
    for (const auto& rung : rule.escalate) {
        if (rung.to == "again" || rung.to == "sender") continue;
        if (rule.what == "question" || rule.what == "answer")
            return "rule " + rule.id + ": a " + rule.what + " goes to nobody else than it is for";
        const bool agreed = std::ranges::any_of(rules, [&](const Rule& other) {
            return other.what == rule.what && other.from == rule.from && other.to == rung.to;
        });
        if (!agreed)
            return "rule " + rule.id + ": escalates to " + rung.to + ", but no rule shares a " + rule.what +
                   " with it";
    }
    return std::nullopt;
}

// Police are asked, and who may ask them may be answered.
std::optional<std::string> fault_in_question(const std::vector<Rule>& rules, const Rule& rule) {
    const bool asks = rule.what == "question";
    if (!asks && rule.what != "answer") return std::nullopt;
    if ((asks ? rule.to : rule.from) != "police")
        return "rule " + rule.id + ": " + (asks ? "questions are for police" : "answers are from police");
    const bool answered = std::ranges::any_of(rules, [&](const Rule& other) {
        return other.what == "answer" && other.from == rule.to && other.to == rule.from;
    });
    if (asks && !answered) return "rule " + rule.id + ": no rule shares the answer with " + rule.from;
    return std::nullopt;
}

tl::unexpected<Refusal> not_rightful(const Right& right) {
    return refuse(Reason::not_permitted, "agreement: " + std::string{right.rule});
}

}  // namespace

Result<Agreement> Agreement::parse(std::string_view text) {
    if (text.size() > limits::agreement_size_max)
        return refuse(Reason::too_large, "agreement.toml:1: larger than this program takes");
    toml::table root;
    try {
        root = toml::parse(text);
    } catch (const toml::parse_error& error) {  // the library's own way of saying no; it goes no further
        return refuse_at(error.source(), std::string{error.description()});
    }

    auto content = std::make_shared<Content>();
    content->digest = crypto::sha256(view(text));
    for (const auto& [key, node] : root)
        if (key.str() != "partnership" && key.str() != "party" && key.str() != "share" &&
            key.str() != "retention" && key.str() != "dead_letters")
            return refuse_at(node.source(), std::string{key.str()} + " is unknown");

    Reader head{root, "agreement"};
    auto partnership = head.text("partnership");
    if (!partnership) return tl::unexpected{partnership.error()};
    if (!SpiffeId::parse("spiffe://" + *partnership + "/broker/main"))
        return head.wrong("partnership", "is no trust domain");
    content->partnership = std::move(*partnership);

    const auto parties = tables_in(root, "party", limits::parties_max);
    if (!parties) return tl::unexpected{parties.error()};
    for (const auto* table : *parties) {
        auto party = party_in(*table);
        if (!party) return tl::unexpected{party.error()};
        const AgencyId agency = party->agency;
        if (!content->parties.emplace(agency, std::move(*party)).second)
            return refuse_at(table->source(), "party: " + agency.text() + " is there twice");
    }
    auto& forces = content->forces;
    for (const auto* table : *parties) {
        const auto& party =
            content->parties.at(*AgencyId::parse(*table->get("agency")->value<std::string>()));
        if (party.review_desk && !content->parties.contains(*party.review_desk))
            return refuse_at(table->get("review_desk")->source(),
                             "party: review_desk " + party.review_desk->text() + " is no party");
        for (const auto& area : party.areas)
            if (const auto [first, is_new] = forces.emplace(area, party.agency); !is_new)
                return refuse_at(table->get("areas")->source(),
                                 "party: " + area + " is the area of " + first->second.text() + " already");
    }

    const auto shares = tables_in(root, "share", limits::sharing_rules_max);
    if (!shares) return tl::unexpected{shares.error()};
    for (const auto* table : *shares) {
        auto rule = rule_in(*table);
        if (!rule) return tl::unexpected{rule.error()};
        for (const auto& other : content->rules) {
            if (other.id == rule->id)
                return refuse_at(table->source(), "rule " + rule->id + " is there twice");
            if (std::tie(other.what, other.from, other.to) == std::tie(rule->what, rule->from, rule->to))
                return refuse_at(table->source(),
                                 "rule " + rule->id + ": " + other.id + " already says who gets this");
        }
        content->rules.push_back(std::move(*rule));
    }
    for (std::size_t i = 0; i < content->rules.size(); ++i)
        if (const auto fault = fault_in_ladder(content->rules, content->rules[i]))
            return refuse_at((*shares)[i]->get("escalate")->source(), *fault);
    for (std::size_t i = 0; i < content->rules.size(); ++i)
        if (const auto fault = fault_in_question(content->rules, content->rules[i]))
            return refuse_at((*shares)[i]->source(), *fault);
    const auto retentions = tables_in(root, "retention", limits::retention_rules_max);
    if (!retentions) return tl::unexpected{retentions.error()};
    for (const auto* table : *retentions) {
        auto row = retention_in(*table, content->rules);
        if (!row) return tl::unexpected{row.error()};
        for (const auto& other : content->retentions) {
            if (other.id == row->id)
                return refuse_at(table->source(), "retention " + row->id + " is there twice");
            if (std::tie(other.of, other.controller) == std::tie(row->of, row->controller))
                return refuse_at(table->source(), "retention " + row->id + ": " + other.id +
                                                      " already says how long this is kept");
        }
        content->retentions.push_back(std::move(*row));
    }
    if (head.has("dead_letters")) {
        auto owner = agency_in(head, "dead_letters");
        if (!owner) return tl::unexpected{owner.error()};
        if (!content->parties.contains(*owner)) return head.wrong("dead_letters", "is no party");
        content->dead_letters = std::move(*owner);
    }
    return Agreement{std::move(content)};
}

const Digest& Agreement::digest() const { return content_->digest; }
std::string_view Agreement::partnership() const { return content_->partnership; }
const std::map<AgencyId, Party>& Agreement::parties() const { return content_->parties; }

const Party* Agreement::party(const AgencyId& agency) const {
    const auto found = content_->parties.find(agency);
    return found == content_->parties.end() ? nullptr : &found->second;
}

bool Agreement::acts_as(const AgencyId& agency, const AgencyId& other) const {
    const Party* self = party(agency);
    return self != nullptr && (agency == other || std::ranges::binary_search(self->acts_for, other));
}

std::optional<AgencyId> Agreement::force_of(std::string_view authority) const {
    const auto found = content_->forces.find(authority);
    return found == content_->forces.end() ? std::nullopt : std::optional{found->second};
}

namespace {

// Whether the party is the agency `kind`/`code`, or acts for it where the topic lets others act.
bool is_rightful(const Party& self, const Right& right) {
    if (self.agency.kind() == right.kind && (right.code.empty() || self.agency.code() == right.code))
        return true;
    return right.delegable && std::ranges::any_of(self.acts_for, [&](const AgencyId& other) {
               return other.kind() == right.kind && other.code() == right.code;
           });
}

}  // namespace

Result<void> Agreement::may_publish(const AgencyId& agency, std::string_view topic) const {
    const auto right = right_to_publish(topic);
    if (!right) return refuse(Reason::unknown_topic, "agreement: nothing is published there");
    const Party* self = party(agency);
    if (self == nullptr) return refuse(Reason::not_permitted, "agreement: no party");
    if (!is_rightful(*self, *right)) return not_rightful(*right);
    return {};
}

Result<void> Agreement::may_subscribe(const AgencyId& agency, std::string_view topic) const {
    const auto right = right_to_subscribe(topic);
    if (!right) return refuse(Reason::unknown_topic, "agreement: no such mailbox");
    const Party* self = party(agency);
    if (self == nullptr) return refuse(Reason::not_permitted, "agreement: no party");
    if (topic.starts_with(reviews_prefix)) {
        const auto authority = AgencyId::parse("social-care/" + std::string{right->code});
        const Party* owner = authority ? party(*authority) : nullptr;
        if (owner == nullptr || owner->review_desk.value_or(owner->agency) != agency)
            return not_rightful(*right);
        return {};
    }
    if (!is_rightful(*self, *right)) return not_rightful(*right);
    return {};
}

const Rule* Agreement::rule_for(std::string_view what, std::string_view from_kind,
                                std::string_view to_kind) const {
    const auto found = std::ranges::find_if(content_->rules, [&](const Rule& rule) {
        return rule.what == what && rule.from == from_kind && rule.to == to_kind;
    });
    return found == content_->rules.end() ? nullptr : &*found;
}

const Retention* Agreement::retention_for(std::string_view of, std::string_view controller) const {
    const auto kind = controller.substr(0, controller.find('/'));
    for (const auto whose : {controller, kind, std::string_view{}}) {
        const auto found = std::ranges::find_if(content_->retentions, [&](const Retention& row) {
            return row.of == of && row.controller == whose;
        });
        if (found != content_->retentions.end()) return &*found;
    }
    return nullptr;
}

std::optional<std::chrono::minutes> Agreement::shortest_retention() const {
    const auto shortest = std::ranges::min_element(content_->retentions, {}, &Retention::keep);
    return shortest == content_->retentions.end() ? std::nullopt : std::optional{shortest->keep};
}

std::string Agreement::dead_letter_owner() const {
    if (content_->dead_letters) return content_->dead_letters->text();
    for (const auto& [agency, party] : content_->parties)
        if (agency.kind() == "operator") return agency.text();
    return "broker";
}

std::set<std::string> Agreement::sources() const {
    std::set<std::string> sources;
    const auto add = [&](const AgencyId& agency) {
        if ((agency.kind() == "social-care" && valid_gss_code(agency.code())) ||
            (agency.kind() == "school" && parse_urn(agency.code())))
            sources.insert(agency.text());
    };
    for (const auto& [agency, party] : content_->parties) {
        add(agency);
        for (const auto& other : party.acts_for) add(other);
    }
    return sources;
}

std::set<std::string> Agreement::mailboxes() const {
    std::set<std::string> topics;
    for (const auto& [agency, party] : content_->parties) {
        add_mailboxes_of(agency, topics);
        topics.insert("results/" + agency.text());
        topics.insert("reports/" + agency.text());
        for (const auto& other : party.acts_for) add_mailboxes_of(other, topics);
    }
    return topics;
}

}  // namespace flagpost::agreement
