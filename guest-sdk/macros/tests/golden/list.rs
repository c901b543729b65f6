/// Names that are words of WIT, the module's included.
mod list {
    pub struct Record {
        resource: u8,
        r#type: u8,
        world: String,
    }

    #[flags]
    pub struct Flags {
        option: bool,
        r#use: bool,
    }

    pub enum Variant {
        Enum,
        Interface(Record),
        String(Flags),
    }

    pub fn world(package: Variant, func: &Record) -> Flags {}

    pub fn import() {}

    pub async fn future() {}
}
