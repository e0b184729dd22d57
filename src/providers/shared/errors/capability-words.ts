import type { WordRule } from './word-rule.ts';
import { anyOf, REFUSALS, REFUSALS_AND_FAULTS, statuses } from './word-rule.ts';

/** "not supported" in all its forms, behind the thing and before it. */
const NOT_SUPPORTED = String.raw`(?:not (?:currently |yet )?(?:supported|enabled|available|allowed|accepted|implemented)|unsupported|disabled)\b`;
const SUPPORTS_NO = String.raw`\b(?:not|n['’]t) (?:currently |yet )?(?:support|accept)(?:ed|s)? `;

/** Rules of the template of one model, or of one server's checks, that others do not have. */
const TEMPLATE_WORDS = anyOf(
  String.raw`\bjinja\b|\bchat[ _]template\b|\bapply_chat_template\b`,
  String.raw`\bsystem (?:role|messages?|prompts?)\b~40~\b(?:not (?:supported|allowed)|must be (?:at the beginning|the first|first))`,
  String.raw`\broles must alternate\b|\bunexpected role\b|\bexpected last role\b|\broles are supported\b|\bdeveloper instruction is not enabled\b`,
  String.raw`\btool call id (?:was|must|has)\b`,
  String.raw`\bthought_?signature\b|\breasoning_content\b[^\n]{0,80}\b(?:missing|required|must be (?:passed|sent) back)|\bencrypted content\b`,
);

const TOOL_WORDS = anyOf(
  String.raw`\binvalid (?:json )?schema for (?:function|tool)\b|\binvalid (?:tool|function) schema\b|\b(?:input_schema|function parameters|tool parameters)\b[^\n]{0,60}\b(?:invalid|not valid|${NOT_SUPPORTED})`,
  String.raw`\b(?:unknown name|invalid value|invalid json payload)\b[^\n]{0,200}\bat .?(?:request\.)?tools\b`,
  String.raw`\btools(?:\[\d+\]|\.\d+)[\w.[\]]{0,120}(?:parameters|input_schema|function_declarations|schema)\b`,
  String.raw`--enable-auto-tool-choice\b|--tool-call-parser\b|\btools? param requires\b|\bunable to generate parser\b`,
  String.raw`\b(?:tools|tool[ _-](?:use|calls?|calling)|functions?(?:[ _-]call(?:s|ing)?)?)\b~40~\b${NOT_SUPPORTED}`,
  String.raw`${SUPPORTS_NO}(?:\w+ )?(?:tools?|tool[ _-](?:use|calls?|calling)|functions?|function[ _-]calling)\b`,
  String.raw`\bno endpoints found that support (?:the provided )?.?(?:tool|function)`,
);

const TOOL_CHOICE_WORDS = anyOf(
  String.raw`\btool_choice\b[^\n]{0,80}\b(?:${NOT_SUPPORTED}|forces\b)`,
  String.raw`\b(?:not support|no endpoints found that support)\b[^\n]{0,60}\btool_choice\b`,
);

const FORMAT_WORDS = anyOf(
  String.raw`\bresponse_?format\b[^\n]{0,80}\b(?:unavailable\b|invalid\b|must be\b|is only\b|${NOT_SUPPORTED})`,
  String.raw`\binvalid (?:json )?schema for response_?format\b`,
  String.raw`\b(?:unknown name|invalid value)\b[^\n]{0,200}\bat .?(?:request\.)?(?:generation_?config\b|response_)`,
  String.raw`\b(?:json[ _-]?(?:mode|schema|object|output)|structured outputs?|guided (?:decoding|json)|grammars?)\b~60~\b${NOT_SUPPORTED}`,
  String.raw`${SUPPORTS_NO}(?:\w+ )?(?:json|structured|response[ _]format|guided|grammar)`,
  String.raw`\b(?:failed|unable) to (?:parse|compile|build|initialize) (?:the )?(?:json schema|grammar)\b|\bjson schema conversion failed\b|\bunsupported (?:json )?schema\b|\bunsupported keyword\b|\bconstraint that has too many states\b|\bgrammar error\b`,
  String.raw`\bunknown variant .?json_(?:schema|object)\b`,
  String.raw`\bno endpoints found that support (?:the requested )?(?:response|structured|json)`,
);

const MEDIA = String.raw`(?:images?|vision|image_url|input_image|audio|input_audio|videos?|video_url|multi-?modal|files?|input_file|pdfs?|documents?|attachments?)`;

/** Text-only models, in the words of llama.cpp, vLLM, Ollama, LM Studio, OpenRouter, and of servers whose parsers know text alone. */
const MEDIA_WORDS = anyOf(
  String.raw`\bnot (?:a )?(?:multi-?modal|vision)\b|\bmmproj\b|\btext-only model\b|\bno vision encoder\b|\bmissing data required for image\b`,
  String.raw`\b${MEDIA}\b~60~\b(?:${NOT_SUPPORTED}|only supported by\b)`,
  String.raw`\b(?:not|n['’]t|cannot|can ?not) (?:currently |yet )?(?:support|accept|process|handle|take|read|see)(?:ed|s)?\b~40~\b${MEDIA}\b`,
  String.raw`\bunsupported (?:content|message|media|input|part|block)[ _]?(?:part |type)?s?\b|\binvalid content type\b[^\n]{0,60}\bimage`,
  String.raw`\bat most \d+ (?:image|audio|video|file)`,
  String.raw`\b(?:only supports?|supports? only|allowed values:?|only accepts?)\b~20~\btext\b|\bonly text (?:content|inputs?|messages?) (?:is|are)\b`,
  String.raw`\bunknown variant .?(?:image_url|input_image|image|input_audio|audio|file|input_file)\b`,
  String.raw`\bcontent\b.? must be a (?:valid )?string\b`,
  String.raw`\bno endpoints found that support (?:\w+ )?(?:image|audio|file|video|the requested)`,
);

const REASONING_WORDS = anyOf(
  String.raw`${SUPPORTS_NO}(?:thinking|reasoning)\b|\b(?:thinking|reasoning)\b~40~\b${NOT_SUPPORTED}|^think value\b|\benable_thinking\b[^\n]{0,40}\b(?:must be|is restricted to)\b`,
);

/** A file of a wrong type is the caller's. */
const OF_FILE_TYPES = /\b(?:file|image|mime|media) (?:format|type)s?\b/i;

/** What a model or server cannot do, each with the field that asks for it. */
export const CAPABILITY_WORDS: readonly WordRule[] = [
  { kind: 'capability', field: 'tool_choice', at: REFUSALS_AND_FAULTS, words: TOOL_CHOICE_WORDS },
  { kind: 'capability', field: 'tools', at: REFUSALS_AND_FAULTS, words: TOOL_WORDS },
  { kind: 'capability', field: 'messages', at: REFUSALS_AND_FAULTS, words: TEMPLATE_WORDS },
  { kind: 'capability', field: 'options.response_format', at: REFUSALS_AND_FAULTS, words: FORMAT_WORDS },
  {
    kind: 'capability',
    field: 'messages',
    at: REFUSALS_AND_FAULTS,
    words: MEDIA_WORDS,
    unless: OF_FILE_TYPES,
  },
  {
    // What is broken in a request may not open the circuit for all.
    kind: 'capability',
    field: 'messages',
    at: new Set([500]),
    words: anyOf(
      String.raw`\b(?:failed|unable|not able) to (?:process|load|decode|read|open|parse) (?:the |an? )?(?:image|audio|video|file|media)`,
      String.raw`\bcannot identify image file\b|\b(?:could not|cannot) (?:process|load|decode|read|open) (?:the |an? )?(?:image|audio|video|file|media)`,
    ),
  },
  { kind: 'capability', field: 'options.reasoning_effort', at: REFUSALS_AND_FAULTS, words: REASONING_WORDS },
  {
    kind: 'capability',
    field: 'options.temperature',
    at: REFUSALS,
    words: /^invalid temperature: only \S{1,20} is allowed\b/im,
  },
];

/** The same without a word of what it is. Behind the words of models that are not there: those are "not supported", too. */
export const UNSUPPORTED_WORDS: readonly WordRule[] = [
  {
    // OpenAI leaves the code out of some of these errors, on both APIs; DeepSeek and servers of open models have none.
    kind: 'capability',
    at: REFUSALS,
    unless: OF_FILE_TYPES,
    words:
      /^unsupported (?:parameter|value)\b|\bnot supported (?:with|by|for) |\bnot supported on (?:this|the) (?:\w+ )?model\b|\bdoes not work with the (?:specified|requested|selected) model\b|\bonly \S{1,40} (?:is|are) allowed for this model\b|\bonly supported (?:by|for|with) |\b(?:is|are) not (?:currently |yet )?supported\b/im,
  },
  { kind: 'capability', at: REFUSALS_AND_FAULTS, words: /\bdoes(?: not|n['’]t) support\b/i },
  {
    // How many bytes are taken is of this one server, or of a proxy before it.
    kind: 'capability',
    field: 'messages',
    at: new Set([413]),
    words: /\btoo (?:large|big|long)\b|\bexceeds?\b/i,
  },
];

/** Where a model is said to be gone. */
const GONE = statuses(400, 401, 403, 404, 410, 422);

/** Words of models that are not there, any more or for this account. */
export const MODEL_WORDS: readonly WordRule[] = [
  {
    kind: 'not_found',
    at: GONE,
    words: anyOf(
      String.raw`\bmodels?\b~120~\b(?:do(?:es)? not exist|doesn['’]t exist|not exist|not found|(?:cannot|could not) be found|no longer (?:available|supported|exists|served|offered)|(?:is|are) not (?:available|valid|served|loaded|installed|deployed|a valid)|(?:is|are) not supported(?! (?:with|by|for|when|in combination)\b)|has been (?:decommissioned|deprecated|retired|removed|shut ?down|sunset|discontinued|disabled)|(?:was|is) (?:decommissioned|deprecated|retired|removed|discontinued|unknown|invalid)|end.of.life)\b`,
      String.raw`\bnot a valid model\b|\b(?:unknown|invalid|unsupported|nonexistent|unrecognized|no such|not supported) model\b|\b(?:unable|failed) to find (?:the )?model\b|\bcould not find (?:the )?model\b|\bno model loaded\b|\bno model (?:named|called|found|with)\b`,
      String.raw`\bno endpoints found for\b|\bno (?:available )?(?:channel|provider|deployment|endpoint)s?\b~30~\bfor (?:the )?model\b`,
      String.raw`\b(?:does not|doesn['’]t|do not|don['’]t) have access to (?:the |this |that )?(?:requested )?model\b|\bno access to (?:the |this |that )?model\b|\bpermission to (?:access|use) (?:the |this |that )?(?:requested )?model\b|\bmodel access (?:is |was )?denied\b|\bnot (?:authori[sz]ed|allowed|permitted) to (?:access|use) (?:the |this |that )?(?:requested )?model\b`,
      String.raw`\b(?:pinned to|only serves?|is serving)\b[^\n]{0,80}\bmodel\b|\bpinned to\b[^\n]{1,200}; requested\b`,
      // Of a plan that does not have this one: others may still be asked.
      String.raw`\brequires? an? (?:\w+ )?subscription\b(?![ -]key)`,
      String.raw`\bon-demand throughput isn['’]t supported\b`,
      '模型不存在|无权访问模型',
    ),
  },
  {
    kind: 'not_found',
    at: statuses(400, 404, 500),
    words: /\bmodel \S{1,160} not found\b|\btry pulling\b|\bnot a valid model identifier\b/i,
  },
];
