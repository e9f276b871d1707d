// Drives basic-ftp: reads one JSON object {login, mode, tls, steps} from its standard input, does the
// steps in one connection and prints what the last one told.
"use strict"

const ftp = require("basic-ftp")
const { enterPassiveModeIPv4, enterPassiveModeIPv6 } = require("basic-ftp/dist/transfer")
const { readFileSync } = require("fs")

const task = JSON.parse(readFileSync(0, "utf8"))

const verbs = {
    put: (client, local, path, offset) =>
        offset ? client.appendFrom(local, path, { localStart: offset }) : client.uploadFrom(local, path),
    get: (client, path, local, offset) => client.downloadTo(local, path, offset),
    rename: (client, from, to) => client.rename(from, to),
    delete: (client, path) => client.remove(path),
    make_folder: async (client, path) => {
        await client.ensureDir(path)
        await client.cd("/")
    },
    remove_folder: (client, path) => client.removeDir(path),
    time: async (client, path) => Math.floor((await client.lastMod(path)).getTime() / 1000),
    put_tree: (client, local, path) => client.uploadFromDir(local, path),
    get_tree: (client, path, local) => client.downloadToDir(local, path),
}

async function main() {
    const client = new ftp.Client(120000)
    await client.access({
        ...task.login,
        secure: task.tls === "implicit" ? "implicit" : task.tls === "explicit",
        secureOptions: { rejectUnauthorized: false },
    })
    client.prepareTransfer = task.mode === "PASV" ? enterPassiveModeIPv4 : enterPassiveModeIPv6
    let result = null
    for (const [verb, ...words] of task.steps) {
        result = await verbs[verb](client, ...words)
    }
    client.close()
    console.log(JSON.stringify(typeof result === "number" ? result : null))
}

main().catch((error) => {
    console.error(error)
    process.exitCode = 1
})
