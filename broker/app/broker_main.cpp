/// flagpost-broker: run it, check its store, look at what is owed, load reference files.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "adapters/client/new_log_key.h"
#include "adapters/client/usage.h"
#include "broker/agreement/agreement.h"
#include "broker/app/config.h"
#include "broker/app/files.h"
#include "broker/app/json_log.h"
#include "broker/app/operator.h"
#include "broker/app/serve.h"
#include "broker/crypto/keys.h"
#include "broker/crypto/private_file.h"
#include "broker/notices/explain.h"
#include "broker/store/sqlite/check.h"
#include "broker/store/sqlite/statistics_file.h"
#include "broker/store/store.h"

namespace {

using namespace flagpost;

constexpr int exit_failed = 1;
constexpr int exit_storage = 70;  // EX_SOFTWARE: do not just start it again; look first

/// What is wrong with a store is said with its name: the store says what alone.
template <class Does> auto name_store(const std::filesystem::path& store, Does does) {
    try {
        return does();
    } catch (const store::StorageFailure& failure) {
        throw store::StorageFailure{store.string() + ": " + failure.what()};
    }
}

int check_store(const std::filesystem::path& file, bool as_json) {
    const auto config = app::load_broker_config(file);
    crypto::SystemRandom random;
    const crypto::Sealer sealer{crypto::BrokerKeys::load(config.keys, config.masters).master, random};
    const auto log_key = app::load_vkey(config.log.vkey);
    const auto log_key_previous = app::load_vkey_previous(config.log);
    const auto report = name_store(config.database(), [&] {
        return store::sqlite::check(config.database(),
                                    {&sealer, &log_key, log_key_previous ? &*log_key_previous : nullptr});
    });
    if (as_json) {
        nlohmann::json json;
        json["sound"] = report.sound();
        json["entries"] = report.entries;
        json["bodies"] = report.bodies;
        json["erased"] = report.erased;
        json["faults"] = report.faults;
        json["named"] = report.named;
        json["root"] = to_hex(report.root);
        std::cout << json.dump() << "\n";
    } else {
        for (const auto& fault : report.named) std::cout << fault << "\n";
        std::cout << report.entries << " entries, " << report.bodies << " bodies, " << report.erased
                  << " erased, " << report.faults << " faults\n";
    }
    return report.sound() ? 0 : exit_failed;
}

int check_agreement(const std::filesystem::path& file) {
    const auto agreement = agreement::Agreement::parse(app::read_text(file));
    if (!agreement) throw std::runtime_error{agreement.error().where};
    std::cout << "The agreement of " << agreement->partnership()
              << " can be put in force: " << agreement->parties().size() << " parties, "
              << agreement->mailboxes().size() << " mailboxes, digest " << to_hex(agreement->digest())
              << "\n";
    return 0;
}

/// What `agreement explain` was asked.
struct Question {
    notices::Case of;
    std::string only;  // an agency, or empty
};

int explain_agreement(const std::filesystem::path& file, const Question& question) {
    const auto agreement = agreement::Agreement::parse(app::read_text(file));
    if (!agreement) throw std::runtime_error{agreement.error().where};
    std::optional<AgencyId> only;
    if (!question.only.empty()) {
        auto agency = AgencyId::parse(question.only);
        if (!agency) throw std::runtime_error{question.only + " is no agency: " + agency.error().where};
        only = std::move(*agency);
    }
    const auto now = std::chrono::time_point_cast<Instant::duration>(std::chrono::system_clock::now());
    std::cout << notices::explain(*agreement, question.of, now, date::locate_zone("Europe/London"), only);
    return 0;
}

/// An option whose value is one of a few words.
template <class Value, class Into> void choice_of(CLI::App& command, const char* name, Into& into,
                                                  const char* what, std::map<std::string, Value> words) {
    std::vector<std::string> all;
    all.reserve(words.size());
    for (const auto& [word, value] : words) all.push_back(word);
    command
        .add_option_function<std::string>(
            name, [&into, words = std::move(words)](const std::string& word) { into = words.at(word); }, what)
        ->check(CLI::IsMember(all));
}

/// The options that describe one incident and its child.
void describe_case(CLI::App& command, Question& question) {
    using notices::Standing;
    using schemas::FlagKind, schemas::Outcome, schemas::Role, schemas::Shield;
    auto& of = question.of;
    command.add_option("--force", of.force, "the police force that reports, such as 31")->required();
    command.add_option("--authority", of.la, "whose child, as a GSS code such as E10000024")->required();
    command.add_option("--school", of.urn, "URN of the school whose roll the child is on");
    command.add_flag("--not-in-school", of.not_in_school,
                     "the child is on the authority's register of children not in school");
    command.add_flag("--old-list", of.is_list_old,
                     "nobody has confirmed that roll or register for six weeks");
    command
        .add_option("--lives-in", of.lives_in,
                    "where the child lives, if elsewhere, as a GSS code such as E10000007")
        ->check([](const std::string& text) {
            return std::string{valid_gss_code(text) ? "" : text + " is no GSS code"};
        });
    command.add_flag("--domestic-abuse", of.domestic_abuse, "the incident is domestic abuse");
    command.add_option("--qualifier", of.qualifiers, "of the incident, such as hold_for_person");
    choice_of<FlagKind>(command, "--flag", of.kind, "the kind of flag; a plan unless said otherwise",
                        {
                            {"plan",         FlagKind::child_protection_plan       },
                            {"unborn",       FlagKind::unborn_child_protection_plan},
                            {"looked-after", FlagKind::looked_after                }
    });
    choice_of<Standing>(command, "--flag-is", of.flag,
                        "what became of the flag; it stands unless said otherwise",
                        {
                            {"none",           Standing::unflagged     },
                            {"standing",       Standing::standing      },
                            {"ended",          Standing::ended         },
                            {"ended-long-ago", Standing::ended_long_ago},
                            {"deleted",        Standing::deleted       }
    });
    choice_of<Shield>(command, "--shield", of.shield, "whom the child must be kept from",
                      {
                          {"none",             Shield::none            },
                          {"refuge",           Shield::refuge          },
                          {"adoption",         Shield::adoption        },
                          {"protected-person", Shield::protected_person}
    });
    command.add_flag("!--not-named", of.is_named,
                     "police do not name the child: only the mother leads to it");
    choice_of<Role>(command, "--mother-is", of.adult,
                    "the mother's part in the incident; the victim unless said otherwise",
                    {
                        {"victim",  Role::victim },
                        {"suspect", Role::suspect},
                        {"witness", Role::witness},
                        {"other",   Role::other  }
    });
    choice_of<Outcome>(command, "--match", of.how_sure,
                       "how sure the match is; as sure as when all details agree unless said otherwise",
                       {
                           {"match",     Outcome::match    },
                           {"potential", Outcome::potential},
                           {"many",      Outcome::many     },
                           {"low",       Outcome::low      }
    });
    command.add_option("--why", question.only,
                       "only of this agency, such as school/900001: what it is told, or why it is not");
}

int run_command(int argc, char** argv) {
    CLI::App program{"Flagpost's broker: passes on who must know, and can prove it."};
    program.require_subcommand(1);
    program.failure_message(client::usage_fault);
    program.set_version_flag("--version", FLAGPOST_VERSION);
    std::filesystem::path config, file;
    std::string as;
    bool json = false;
    int code = 0;
    const auto configured = [&](CLI::App* command, const char* what) {
        command->add_option("--config", config, what)->required()->check(CLI::ExistingFile);
    };
    const auto with_json = [&](CLI::App* command) { command->add_flag("--json", json, "JSON on stdout"); };

    auto* run =
        program.add_subcommand("run", "serve until SIGTERM; prints `ready PORT` when clients may come");
    configured(run, "the broker's config file");
    run->callback([&] {
        const auto settings = app::load_broker_config(config);
        name_store(settings.database(), [&] { app::serve(settings); });
    });

    auto* check =
        program.add_subcommand("check", "read the whole store and name everything that is wrong in it");
    configured(check, "the broker's config file");
    with_json(check);
    check->callback([&] { code = check_store(config, json); });

    auto* obligations =
        program.add_subcommand("obligations", "every notice still owed, asked of a running broker");
    configured(obligations, "an operator's config file");
    with_json(obligations);
    obligations->callback([&] { code = app::show_obligations(config, json); });

    auto* dead_letters = program.add_subcommand(
        "dead-letters", "what no consumer could store, and who looks after it, asked of a running broker");
    configured(dead_letters, "an operator's config file");
    with_json(dead_letters);
    dead_letters->callback([&] { code = app::show_dead_letters(config, json); });

    app::OperatorCall call;
    const auto acting = [&](const char* name, const char* what, schemas::OperatorDoes does,
                            bool about_letter) {
        auto* command = program.add_subcommand(name, what);
        if (about_letter) {
            command->add_option("topic", call.topic, "the dead letter's mailbox")->required();
            command->add_option("number", call.number, "its number there")->required();
        }
        command->add_option("--by", call.by, "the named person who decides this")->required();
        command->add_option("--reason", call.reason, "why, as a code such as consumer_mended")->required();
        configured(command, "an operator's config file");
        command->callback([&, does] {
            call.config = config;
            call.does = does;
            code = app::act(call);
        });
    };
    acting("reinsert", "put a dead letter back into its mailbox", schemas::OperatorDoes::reinsert, true);
    acting("discard", "give a dead letter up; its notice stays owed", schemas::OperatorDoes::discard, true);
    acting("confirm-clock", "say that the broker's clock is right after a jump ahead",
           schemas::OperatorDoes::confirm_clock, false);

    schemas::RecordOrderValue order;
    const auto ordering = [&](const char* name, const char* what, schemas::OrderDoes does) {
        auto* command = program.add_subcommand(name, what);
        auto* subject =
            command->add_option("subject", order.subject,
                                "whom or what the records are about: flag/E10000024/1234, incident/31/OCC-1");
        if (does == schemas::OrderDoes::erase)
            subject->excludes(command->add_option("--record", order.record, "one record, by its leaf"));
        else
            subject->required();
        auto* controller =
            command->add_option("--controller", order.controller, "the agency whose records these are");
        if (does == schemas::OrderDoes::erase) controller->required();
        if (does == schemas::OrderDoes::conflict) {
            command->add_option("--person", order.person, "who may neither see nor decide")->required();
            command->add_option("--works-for", order.works_for, "that person's agency, such as school/900001")
                ->required();
        }
        command->add_option("--by", order.by, "the named person who decides this")->required();
        command->add_option("--reason", order.reason, "why, as a code such as court_order")->required();
        command
            ->add_option("--reference", order.reference,
                         "of the order: the number of a case or a code, no words; the log shows it")
            ->required();
        configured(command, "an operator's config file");
        command->callback([&, does] {
            order.does = does;
            code = app::order(config, order);
        });
    };
    ordering("hold", "keep records about a subject beyond their time, everybody's or one agency's",
             schemas::OrderDoes::hold);
    ordering("lift-hold", "end a hold: same subject, controller and reference", schemas::OrderDoes::lift);
    ordering("conflict",
             "put a person on the conflict list of a case: they are not asked and may not decide or answer",
             schemas::OrderDoes::conflict);
    ordering("end-conflict", "take that person off it: same subject, controller and reference",
             schemas::OrderDoes::lift);
    ordering("erase", "destroy one agency's records about a subject, or one record, on that agency's behalf",
             schemas::OrderDoes::erase);

    client::NewLogKey new_key;
    auto* following = program.add_subcommand("new-log-key", client::NewLogKey::description);
    configured(following, "an operator's config file");
    new_key.take(*following);
    following->callback(
        [&] { code = client::follow_new_log_key(client::load_config(config, {}), new_key, std::cout); });

    auto* status = program.add_subcommand(
        "status",
        "what needs somebody, room, the log's head and what is in force, asked of a running broker");
    configured(status, "an operator's config file");
    with_json(status);
    status->callback([&] { code = app::show_status(config, json); });

    unsigned days = 35;
    auto* statistics = program.add_subcommand(
        "statistics",
        "what happened, counted by hour, as CSV: from the events table, whether the broker runs or not");
    configured(statistics, "the broker's config file");
    statistics->add_option("--days", days, "how far back")->check(CLI::Range(1, 800))->capture_default_str();
    statistics->callback([&] {
        SystemClock clock;
        std::cout << store::sqlite::statistics_csv(app::load_broker_config(config).statistics(),
                                                   clock.now() - std::chrono::days{days});
    });

    auto* reference = program.add_subcommand("reference", "schools and calendars");
    reference->require_subcommand(1);
    auto* load = reference->add_subcommand(
        "load", "publish a GIAS, links, bank holidays, terms or contacts file as the new whole of its kind");
    load->add_option("file", file, "the file as it was published")->required()->check(CLI::ExistingFile);
    load->add_option("--as", as, "what it is, where its header does not say")
        ->check(CLI::IsMember({"gias", "links", "bank-holidays", "terms", "contacts"}));
    configured(load, "an operator's config file");
    load->callback([&] { code = app::load_reference(config, file, app::reference_kind(as)); });

    auto* agreement = program.add_subcommand("agreement", "the sharing agreement");
    agreement->require_subcommand(1);
    auto* agreement_check = agreement->add_subcommand("check", "whether a file can be put in force");
    agreement_check->add_option("file", file, "agreement.toml")->required()->check(CLI::ExistingFile);
    agreement_check->callback([&] { code = check_agreement(file); });
    Question question;
    auto* explained = agreement->add_subcommand(
        "explain", "who would be told what of one incident, under which rule, and who would not, and why");
    explained->add_option("file", file, "agreement.toml")->required()->check(CLI::ExistingFile);
    describe_case(*explained, question);
    explained->callback([&] { code = explain_agreement(file, question); });

    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? 0 : 2;
    }
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    crypto::forbid_core_files();
    app::log_as_json();
    try {
        return run_command(argc, argv);
    } catch (const store::StorageFailure& failure) {
        std::cerr
            << "flagpost-broker: the store is not to be trusted or cannot be added to: " << failure.what()
            << "\nNothing unconfirmed was promised. Look at the disk, then run `flagpost-broker check`.\n";
        return exit_storage;
    } catch (const std::exception& error) {
        std::cerr << "flagpost-broker: " << error.what() << "\n";
        return exit_failed;
    }
}
