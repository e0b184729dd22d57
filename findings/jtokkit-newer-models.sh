#!/usr/bin/env bash
# jtokkit 1.1.0 (Maven Central) and js-tiktoken 1.0.21 (npm): two counts for one text and one model.
#
# Asked for the encoding of gpt-4.1 or gpt-4.5, jtokkit answers with that of gpt-4, because the names begin alike; those models count by
# o200k_base, as gpt-4o does, for which it has that. For gpt-5 it answers with none, which a caller notices. English hides the mistake: the
# texts are a sentence in English and the same in Hindi.
#
# Seen (tokens of English, Hindi):
#   gpt-4o: jtokkit 7, 10; js-tiktoken 7, 10
#   gpt-4.1: jtokkit 7, 27; js-tiktoken 7, 10
#   gpt-4.5-preview: jtokkit 7, 27; js-tiktoken 7, 10
#   gpt-5: jtokkit none; js-tiktoken 7, 10
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat > pom.xml <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.knuddels</groupId><artifactId>jtokkit</artifactId><version>1.1.0</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies -DoutputDirectory=lib
npm install --silent --no-audit --no-fund js-tiktoken@1.0.21
printf '%s\n' 'Turn left at the old bridge.' 'पुराने पुल पर बाएँ मुड़ें।' > texts
models='gpt-4o gpt-4.1 gpt-4.5-preview gpt-5'
cat > Count.java <<'JAVA'
import com.knuddels.jtokkit.Encodings;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;

public class Count {
  public static void main(String[] models) throws Exception {
    var texts = Files.readAllLines(Path.of("texts"));
    var registry = Encodings.newDefaultEncodingRegistry();
    for (var model : models) {
      System.out.println(registry.getEncodingForModel(model)
          .map(encoding -> texts.stream().map(text -> "" + encoding.countTokens(text)).collect(Collectors.joining(", ")))
          .orElse("none"));
    }
  }
}
JAVA
cat > count.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { encodingForModel } from 'js-tiktoken';

const texts = readFileSync('texts', 'utf8').trim().split('\n');
for (const model of process.argv.slice(2)) {
  const encoding = encodingForModel(model);
  console.log(texts.map((text) => encoding.encode(text).length).join(', '));
}
JS
java -cp 'lib/*' Count.java $models > java-counts
node count.mjs $models > node-counts
paste <(tr ' ' '\n' <<< "$models") java-counts node-counts | sed -E 's/^(.*)\t(.*)\t(.*)$/\1: jtokkit \2; js-tiktoken \3/' | tee seen
diff seen - <<'SEEN' || { echo 'This has changed.' >&2; exit 1; }
gpt-4o: jtokkit 7, 10; js-tiktoken 7, 10
gpt-4.1: jtokkit 7, 27; js-tiktoken 7, 10
gpt-4.5-preview: jtokkit 7, 27; js-tiktoken 7, 10
gpt-5: jtokkit none; js-tiktoken 7, 10
SEEN
