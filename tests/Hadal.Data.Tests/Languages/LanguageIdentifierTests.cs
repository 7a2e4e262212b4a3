using CsCheck;
using Hadal.Data.Languages;

namespace Hadal.Data.Tests.Languages;

public class LanguageIdentifierTests
{
    [Theory]
    [InlineData("en", "The report describes how the model was trained, and what it cost to do so.")]
    [InlineData("en", "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. How many did she sell altogether?")]
    [InlineData("en", "The café's owner, Señor Muñoz, said that he would be there by nine.")]
    [InlineData("es", "El ingenioso hidalgo salió de su casa muy de mañana, sin decir nada a nadie.")]
    [InlineData("es", "No sé qué hacer con todo esto; mañana hablamos.")]
    [InlineData("zh", "却说那猴王自从得了这件宝贝，日日在洞中操演，不觉过了三年。")]
    [InlineData("zh", "這是一個關於語言的測試，我們在這裡寫了幾個字。")]
    [InlineData("zh", "我们用 Transformer 模型训练了一个 language model，效果很好。")]
    [InlineData("ja", "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。")]
    [InlineData("ja", "東京都のホテルを予約する")]
    [InlineData("other", "La maison est sur la colline et les enfants jouent dans le jardin avec leur chien.")]
    [InlineData("other", "Der alte Mann ging langsam durch die Straße und dachte an seine Kindheit.")]
    [InlineData("other", "O menino não sabia o que fazer com a chave que a avó lhe tinha dado.")]
    [InlineData("other", "Il ragazzo non sapeva che cosa fare della chiave che gli era stata data.")]
    [InlineData("other", "De jongen wist niet wat hij met de sleutel moest doen die hij had gekregen.")]
    [InlineData("other", "Pojken visste inte vad han skulle göra med nyckeln som han hade fått.")]
    [InlineData("other", "El noi no sabia què fer amb la clau que li havia donat la seva àvia.")]
    [InlineData("other", "Chłopiec nie wiedział, co zrobić z kluczem, który dała mu babcia.")]
    [InlineData("other", "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.")]
    [InlineData("other", "Мальчик не знал, что делать с ключом, который дала ему бабушка.")]
    [InlineData("other", "لم يعرف الولد ماذا يفعل بالمفتاح الذي أعطته إياه جدته.")]
    [InlineData("other", "소년은 할머니가 준 열쇠로 무엇을 해야 할지 몰랐다.")]
    [InlineData("other", "Το αγόρι δεν ήξερε τι να κάνει με το κλειδί.")]
    [InlineData("other", "xqzj wvbk pfgh zzkr qwxv bnmk lkjh gfds xcvb qwrt plmk njbh vgcf xdrz skwq zvtb")]
    [InlineData("other", "12345 67890 !!! ???")]
    [InlineData("other", "")]
    public void Natural_languages_are_told_apart(string expected, string text) => Assert.Equal(expected, LanguageIdentifier.Identify(text).Language);

    [Theory]
    [InlineData("code:python", "import os\n\n\nclass Walk:\n    \"\"\"A walk.\"\"\"\n\n    def __init__(self, path):\n        self.path = path\n\n    def run(self):\n        for name in os.listdir(self.path):\n            print(name)\n")]
    [InlineData("code:csharp", "using System;\n\nnamespace Walks;\n\npublic sealed class Walk\n{\n    public string Path { get; init; } = \"\";\n\n    internal static void Run()\n    {\n        foreach (var name in Names) Console.WriteLine(name);\n    }\n}\n")]
    [InlineData("code:c", "#include <stdio.h>\n#include <stdlib.h>\n\nstatic int count = 0;\n\nint main(int argc, char *argv[])\n{\n    char *p = malloc(10);\n    if (p == NULL) return 1;\n    printf(\"%d\\n\", count);\n    free(p);\n    return 0;\n}\n")]
    [InlineData("code:cpp", "#include <vector>\n#include <string>\n\nnamespace walk {\n\ntemplate <typename T>\nclass Path {\npublic:\n    explicit Path(const std::string& name) : name_(name) {}\n    virtual ~Path() = default;\nprivate:\n    std::string name_;\n};\n\n}  // namespace walk\n")]
    [InlineData("code:java", "package org.walk;\n\nimport java.util.List;\n\npublic class Walk extends Path {\n    private final List<String> names;\n\n    @Override\n    public void run() {\n        for (String name : names) {\n            System.out.println(name);\n        }\n    }\n}\n")]
    [InlineData("code:javascript", "'use strict';\nconst fs = require('fs');\n\nfunction run(path) {\n  const names = fs.readdirSync(path);\n  names.forEach((name) => {\n    if (name !== '.') console.log(name);\n  });\n}\n\nmodule.exports = { run };\n")]
    [InlineData("code:typescript", "import { readdir } from 'fs';\n\nexport interface Walk {\n  path: string;\n  depth?: number;\n}\n\nexport const run = async (walk: Walk): Promise<void> => {\n  const names: string[] = await list(walk.path);\n  console.log(names);\n};\n")]
    [InlineData("code:go", "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc run(path string) error {\n\tnames, err := os.ReadDir(path)\n\tif err != nil {\n\t\treturn err\n\t}\n\tfor _, name := range names {\n\t\tfmt.Println(name)\n\t}\n\treturn nil\n}\n")]
    [InlineData("code:rust", "use std::fs;\n\n#[derive(Debug)]\npub struct Walk {\n    path: String,\n}\n\nimpl Walk {\n    pub fn run(&self) -> Result<(), Error> {\n        let mut names = Vec::new();\n        for name in fs::read_dir(&self.path)? {\n            println!(\"{:?}\", name);\n        }\n        Ok(())\n    }\n}\n")]
    [InlineData("code:html", "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n  <meta charset=\"utf-8\">\n  <title>Walk</title>\n</head>\n<body>\n  <div class=\"x\">\n    <p>Text</p>\n  </div>\n</body>\n</html>\n")]
    [InlineData("code:css", "body {\n  margin: 0;\n  font-family: sans-serif;\n}\n\n.walk {\n  display: flex;\n  color: #333;\n}\n\n@media (max-width: 600px) {\n  .walk { padding: 4px; }\n}\n")]
    [InlineData("code:json", "{\n  \"name\": \"walk\",\n  \"version\": \"1.0\",\n  \"private\": true,\n  \"names\": [\n    \"a\",\n    \"b\"\n  ]\n}\n")]
    [InlineData("code:xml", "<?xml version=\"1.0\"?>\n<walk xmlns=\"urn:walk\">\n  <path name=\"a\" />\n  <path name=\"b\">text</path>\n</walk>\n")]
    [InlineData("code:yaml", "name: walk\non:\n  push:\n    branches: [main]\njobs:\n  build:\n    runs-on: linux\n    steps:\n      - uses: actions/checkout\n      - run: make test\n")]
    [InlineData("code:sql", "CREATE TABLE walk (\n  id INTEGER PRIMARY KEY,\n  name VARCHAR(20) NOT NULL\n);\n\nSELECT name, count(*)\nFROM walk\nWHERE id > 3\nGROUP BY name\nORDER BY name;\n")]
    [InlineData("code:shell", "#!/bin/bash\nset -e\nfor name in *; do\n  if [ -d \"$name\" ]; then\n    echo \"$name\"\n  fi\ndone\n")]
    [InlineData("code:python", "#!/usr/bin/env python3\nx = 1\n")]
    [InlineData("code:c", "/*\n * This is what the header is for, and who may use it.\n * It says so in a long comment.\n */\n#ifndef WALK_H\n#define WALK_H\n\n// The number of steps so far.\nextern int steps;\n\n#endif\n")]
    public void Programming_languages_are_told_by_the_shape_of_lines(string expected, string text) => Assert.Equal(expected, LanguageIdentifier.Identify(text).Language);

    [Theory]
    [InlineData("en", "# Walk\n\nA program that walks through folders.\n\n## Use\n\nCall it with a path, and it will print the names:\n\n    walk /home\n\nIt does not follow links; that is for another day.\n")]
    [InlineData("en", "## Use\n\nCall it with a path:\n\n```csharp\nvar walk = new Walk(path);\nforeach (var name in walk.Names)\n{\n    Console.WriteLine(name);\n}\n```\n\n* It does not follow links.\n* That is for another day.\n")]
    [InlineData("en", "ROMEO:\nBut, soft! what light through yonder window breaks?\n\nJULIET:\nO Romeo, Romeo! wherefore art thou Romeo?\n")]
    [InlineData("en", "We know that $x^2 - y^2 = (x+y)(x-y)$. To begin with, let $x = 26^2$ and $y = 10$.\nThen the value of the first is\n$$(x + y)(x - y) = 4 \\cdot 5 = 20.$$\n")]
    [InlineData("en", "Answer: He sold 48/2 = <<48/2=24>>24 clips in May.\nIn total he sold 48+24 = <<48+24=72>>72 clips.\n#### 72")]
    public void Prose_with_some_structure_is_not_code(string expected, string text) => Assert.Equal(expected, LanguageIdentifier.Identify(text).Language);

    [Theory]
    [InlineData("src/a.py", "x", "code:python")]
    [InlineData("SRC\\A.CS", "x", "code:csharp")]
    [InlineData("a/Makefile", "x", "code:make")]
    [InlineData("a.h", "int f(void);", "code:c")]
    [InlineData("a.h", "#pragma once\nnamespace a { class B { public: std::string s; }; }", "code:cpp")]
    [InlineData("a.html", "<p>x</p>", "code:html")]
    [InlineData("a.html", "This is what the page said when it was read.", "en")]
    [InlineData("README.md", "This is what the program does and how it is used.", "en")]
    [InlineData("data.jsonl.gz", "This is what the program does and how it is used.", "en")]
    public void A_path_decides_where_it_names_a_programming_language(string path, string text, string expected) => Assert.Equal(expected, LanguageIdentifier.Identify(text, path).Language);

    [Fact]
    public void Endless_text_is_judged_by_samples()
    {
        string english = string.Concat(Enumerable.Repeat("This is what was said of it by those who had seen it. ", 40_000));
        Assert.Equal("en", LanguageIdentifier.Identify(english).Language);
        foreach (string piece in (string[])["a", " ", "\n", "\uD83D", "猫", "x(", ";\n", "1", "😀"])
            Assert.Equal("other", LanguageIdentifier.Identify(string.Concat(Enumerable.Repeat(piece, 2_000_000))).Language);
    }

    [Fact]
    public void Any_string_has_a_language_and_a_share_from_0_to_1() => Gen.String[0, 300].Sample(static text =>
    {
        LanguageGuess guess = LanguageIdentifier.Identify(text);
        Assert.InRange(guess.Share, 0, 1);
        Assert.Equal(guess, LanguageIdentifier.Identify(text));
    }, iter: 2000, seed: "0000000000001", threads: 1);
}
