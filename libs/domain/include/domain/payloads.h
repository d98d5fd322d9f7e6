// SPDX-License-Identifier: Apache-2.0
// The plaintext of sealed payloads: what a tenant sent and what a program produced. Folds never see
// it; only the gateway, the host that runs it and the webhooks role open it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codec/reflect.h"

namespace sandtrail {

struct InputFile {
  std::string path;  // relative to the work directory
  Blob content;
  bool executable = false;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("path", s.path);
    v("content", s.content);
    v("executable", s.executable);
  }
};

// Of execution.requested. Either code (for the request's language) or a command.
struct ExecutionInput {
  std::string code;
  std::vector<std::string> command;
  std::vector<std::string> args;
  Blob stdin_bytes;
  std::vector<InputFile> files;
  std::map<std::string, std::string> env;
  std::string callback_url;
  std::string thread;
  std::map<std::string, std::string> metadata;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v.with_default("code", s.code);
    v("command", s.command);
    v("args", s.args);
    v.with_default("stdin", s.stdin_bytes);
    v("files", s.files);
    v("env", s.env);
    v.with_default("callback_url", s.callback_url);
    v.with_default("thread", s.thread);
    v("metadata", s.metadata);
  }
};

// Of execution.finished: the kept bytes of each stream.
struct ExecutionOutput {
  Blob out;
  Blob err;
  template <typename Self, typename V>
  static void fields(Self& s, V& v) {
    v("stdout", s.out);
    v("stderr", s.err);
  }
};

}  // namespace sandtrail
