/*
 * After a git that failed: as whom it came, and what the forge says that token may do there.
 */
#pragma once

#include "job/arguments.h"
#include "job/git_report.h"
#include "job/git_remotes.h"
#include "job/token_list.h"

/**
 * git_explain() - on standard error, within some seconds; nothing for a command that speaks to no
 * remote
 * @words:  git's, from the subcommand on, NULL terminated
 * @urls:   the remotes that it may have spoken to
 * @report: what its helper answered
 */
void git_explain(const struct arguments *arguments, const struct git *git, char *const words[],
                 const struct remote_urls *urls, const struct token_list *tokens,
                 const struct git_report *report);
